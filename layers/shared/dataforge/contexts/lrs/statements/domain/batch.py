"""From the statements of one request to what is queued: all valid and complete, or none (XAPI-00326)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from dataforge.contexts.lrs.statements.domain.identity import StatementIds
from dataforge.contexts.lrs.statements.domain.json_text import MAX_VIOLATIONS, StatementsBody, to_json
from dataforge.contexts.lrs.statements.domain.normal_form import content_sha256
from dataforge.contexts.lrs.statements.domain.rules import Rule
from dataforge.contexts.lrs.statements.domain.times import format_timestamp, in_utc, parse_timestamp
from dataforge.contexts.lrs.statements.domain.validation import VOIDED, validate_statement
from dataforge.contexts.lrs.statements.domain.versions import XapiVersion
from dataforge.kernel.errors import ValidationFailed, Violation
from dataforge.kernel.texts import Text

_RELATIONS = ("parent", "grouping", "category", "other")


class InvalidStatements(ValidationFailed):
    """At least one statement of the request breaks a rule, and so none of them is stored."""

    code = "invalid_statements"
    title = "The statements break rules of xAPI"


@dataclass(frozen=True, slots=True)
class PreparedStatement:
    """A statement as it is stored: id, stored, authority, version and timestamp are set.

    `content_sha256` is of the statement as received and decides whether a repetition says the same; `occurred_at` is
    its timestamp in UTC; `voids` is the statement this one withdraws.
    """

    id: UUID
    payload: dict[str, object]
    content_sha256: str
    occurred_at: datetime
    stored_at: datetime
    voids: UUID | None = None

    def to_json(self) -> bytes:
        """The stored statement as UTF-8 JSON with every number as it was sent."""
        return to_json(self.payload)


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """The statements of one request in the order they were sent."""

    statements: tuple[PreparedStatement, ...]

    @property
    def ids(self) -> list[str]:
        """The ids in request order, as the answer lists them."""
        return [str(statement.id) for statement in self.statements]

    @property
    def last_stored_at(self) -> datetime | None:
        """`stored` of the last statement; None for an empty request."""
        return self.statements[-1].stored_at if self.statements else None


def validate_body(body: StatementsBody, *, version: XapiVersion) -> list[Violation]:
    """Every violation in a request, ids that are used twice included, up to MAX_VIOLATIONS."""
    found: list[Violation] = []
    first_use: dict[str, int] = {}
    for index, statement in enumerate(body.statements):
        path = body.pointer(index)
        found += validate_statement(statement, version=version, path=path, part_hashes=body.part_hashes)
        if len(found) >= MAX_VIOLATIONS:
            return found[:MAX_VIOLATIONS]
        given = statement.get("id") if isinstance(statement, dict) else None
        if not isinstance(given, str):
            continue
        first = first_use.setdefault(given.lower(), index)
        if first != index:
            message = Text(
                "The id {given} is also the id of statement {first} of this request.", given=given[:40], first=first
            )
            found.append(Violation(f"{path}/id", message, Rule.DUPLICATE_ID))
    return found


def prepare_batch(
    body: StatementsBody,
    *,
    authority: dict[str, object],
    version: XapiVersion,
    now: datetime,
    deduplicate: bool = False,
) -> PreparedBatch:
    """Validate every statement, then complete each as the standard says (Data 2.4, Communication 2.1.2).

    `stored` is `now` and one microsecond more for each further statement, so that it orders a request strictly.
    `authority` replaces whatever was sent; `deduplicate` is for StatementIds. Raises InvalidStatements with every
    violation.
    """
    violations = validate_body(body, version=version)
    if violations:
        raise _refusal(violations, len(body.statements))
    ids = StatementIds(authority, deduplicate=deduplicate)
    return PreparedBatch(
        tuple(
            _prepare(statement, ids, authority, version, now.astimezone(UTC) + timedelta(microseconds=index))
            for index, statement in enumerate(body.statements)
            if isinstance(statement, dict)
        ),
    )


def _refusal(violations: list[Violation], count: int) -> InvalidStatements:
    first = violations[0]
    others = len(violations) - 1
    more = Text.counted(
        " `errors` lists {count} more violation.", " `errors` lists {count} more violations.", count=others
    )
    message = Text(
        "The request breaks rules of xAPI{where}{kept}. {message}{more}",
        where=Text(" at {pointer}", pointer=first.pointer) if first.pointer else "",
        kept=Text("; none of the statements of this request is stored") if count > 1 else "",
        message=first.message,
        more=more if others else "",
    )
    return InvalidStatements(message, violations=violations)


def _prepare(
    statement: dict[str, object],
    ids: StatementIds,
    authority: dict[str, object],
    version: XapiVersion,
    stored: datetime,
) -> PreparedStatement:
    content = content_sha256(statement)
    statement_id = ids.assign(statement, content)
    stored_text = format_timestamp(stored)
    timestamp = statement.get("timestamp", stored_text)
    if version is XapiVersion.V2_0 and isinstance(timestamp, str):
        timestamp = in_utc(timestamp)  # IEEE 9274.1.1 §4.2.7
    payload: dict[str, object] = {
        **statement,
        "id": str(statement_id),
        "timestamp": timestamp,
        "stored": stored_text,
        "authority": authority,
        "version": statement.get("version", version.default_statement_version),
    }
    _wrap_context_activities(payload)
    target = payload["object"]
    if isinstance(target, dict) and target.get("objectType") == "SubStatement":
        payload["object"] = target = dict(target)
        _wrap_context_activities(target)
    occurred = parse_timestamp(timestamp) if isinstance(timestamp, str) else None
    return PreparedStatement(statement_id, payload, content, occurred or stored, stored, voided_id(payload))


def _wrap_context_activities(statement: dict[str, object]) -> None:
    """Make single context activities arrays (Data 2.4.6.2), in a new context: what was sent stays as it was sent."""
    context = statement.get("context")
    related = context.get("contextActivities") if isinstance(context, dict) else None
    if not isinstance(context, dict) or not isinstance(related, dict):
        return
    if any(isinstance(related.get(name), dict) for name in _RELATIONS):
        wrapped = {name: [item] if isinstance(item, dict) else item for name, item in related.items()}
        statement["context"] = {**context, "contextActivities": wrapped}


def voided_id(statement: Mapping[str, object]) -> UUID | None:
    """The id of the statement that a valid statement voids; None when it voids nothing (Data 2.3.2)."""
    verb, target = statement.get("verb"), statement.get("object")
    if not isinstance(verb, dict) or verb.get("id") != VOIDED or not isinstance(target, dict):
        return None
    return UUID(target["id"])
