"""One flat row per statement, for reports: who did what to what, how well, and when.

The columns are those of `statements_flat`; what needs the database (the person behind the actor, the lesson behind the
URL) is left to the writer, with the keys to look it up by.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from dataforge.contexts.lrs.statements.domain.batch import voided_id
from dataforge.contexts.lrs.statements.domain.completion import is_completion, is_question
from dataforge.contexts.lrs.statements.domain.times import duration_ms, parse_timestamp
from dataforge.contexts.lrs.statements.domain.vendors import lesson_hints
from dataforge.kernel.email import normal_email
from dataforge.kernel.iri import normal_iri
from dataforge.kernel.texts import Text

_MAILTO = "mailto:"
_PREFERRED_LANGUAGES = ("en-US", "en", "en-GB")


@dataclass(frozen=True, slots=True)
class FlatStatement:
    """The row of one statement.

    `actor_key` names a learner across statements (see the function); `actor_email` is the bare lower-cased address, to
    find the user by. `object_type` is the xAPI object type, `activity_type` the IRI of the definition. `lesson_url` is
    the normal form of the id of the lesson the statement belongs to: what the sender's extensions name, else for a
    question (`is_question`) its first parent or grouping activity, else the activity itself. `completes` says whether
    the statement means that lesson is done, `voids` which statement it withdraws. Scores are
    exact decimals, `duration_ms` is truncated, both times are UTC.
    """

    statement_id: UUID
    actor_key: str
    actor_name: str | None
    actor_email: str | None
    verb_id: str
    verb_display: str
    object_id: str
    object_name: str | None
    object_type: str
    activity_type: str | None
    is_question: bool
    lesson_url: str | None
    lesson_number: int | None
    lesson_name: str | None
    global_question: str | None
    score_scaled: Decimal | None
    score_raw: Decimal | None
    score_min: Decimal | None
    score_max: Decimal | None
    success: bool | None
    completion: bool | None
    completes: bool
    response: str | None
    duration_ms: int | None
    registration: UUID | None
    platform: str | None
    language: str | None
    cohort_key: str | None
    voids: UUID | None
    occurred_at: datetime
    stored_at: datetime


def flatten_statement(statement: Mapping[str, object]) -> FlatStatement:
    """The row of a prepared statement (valid, with `id`, `stored` and `timestamp`); never raises on one."""
    actor, verb, target = _members(statement, "actor"), _members(statement, "verb"), _members(statement, "object")
    result, context = _members(statement, "result"), _members(statement, "context")
    score, hints = _members(result, "score"), lesson_hints(statement)
    object_type, object_id, activity = _object_identity(target)
    definition = _members(activity, "definition")
    stored_at = _stored_at(statement)
    question = object_type == "Activity" and is_question(definition)
    of_lesson = hints.lesson_url or (_part_of(context) if question else None)
    lesson_url = of_lesson or (object_id if object_type == "Activity" else None)
    lesson_url = None if lesson_url is None else normal_iri(lesson_url)
    return FlatStatement(
        statement_id=UUID(str(statement["id"])),
        actor_key=actor_key(actor),
        actor_name=_text(actor, "name"),
        actor_email=actor_email(actor),
        verb_id=str(verb.get("id")),
        verb_display=_in_english(verb.get("display")) or _last_segment(str(verb.get("id"))),
        object_id=object_id,
        object_name=_in_english(definition.get("name")) or _text(target, "name"),
        object_type=object_type,
        activity_type=_text(definition, "type"),
        is_question=question,
        lesson_url=lesson_url,
        lesson_number=hints.lesson_number,
        lesson_name=hints.lesson_name,
        global_question=hints.global_question,
        score_scaled=_decimal(score.get("scaled")),
        score_raw=_decimal(score.get("raw")),
        score_min=_decimal(score.get("min")),
        score_max=_decimal(score.get("max")),
        success=_flag(result, "success"),
        completion=_flag(result, "completion"),
        completes=_completes_lesson(statement, object_id, lesson_url),
        response=_text(result, "response"),
        duration_ms=duration_ms(str(result["duration"])) if "duration" in result else None,
        registration=UUID(str(context["registration"])) if "registration" in context else None,
        platform=_text(context, "platform"),
        language=_text(context, "language"),
        cohort_key=hints.cohort or _text(_members(context, "team"), "name"),
        voids=voided_id(statement),
        occurred_at=parse_timestamp(str(statement.get("timestamp"))) or stored_at,
        stored_at=stored_at,
    )


def actor_key(actor: Mapping[str, object]) -> str:
    """The key of an Agent or Group: its mbox in lower case, else `homePage|name` of its account, else its openid.

    An actor known by the SHA-1 of its mbox has `sha1:` and the digits; an anonymous Group has `name:` and its name, or
    `group:` and the keys of its members. `|` cannot occur in an IRI, so an account's key splits again.
    """
    mbox, account, sha1 = actor.get("mbox"), actor.get("account"), actor.get("mbox_sha1sum")
    if isinstance(mbox, str):
        return mbox.lower()
    if isinstance(account, dict):
        return f"{account.get('homePage')}|{account.get('name')}"
    if isinstance(sha1, str):
        return f"sha1:{sha1.lower()}"
    openid, name = actor.get("openid"), actor.get("name")
    if isinstance(openid, str):
        return openid
    if isinstance(name, str) and name:
        return f"name:{name}"
    members = actor.get("member")
    listed = members if isinstance(members, list) else []
    return f"group:{','.join(sorted(actor_key(member) for member in listed if isinstance(member, dict)))}"


def actor_email(actor: Mapping[str, object]) -> str | None:
    """The lower-cased e-mail address of an actor's mbox. An account's name is none, whatever it looks like: it means
    something within its home page only (Data 2.4.2.4).
    """
    mbox = actor.get("mbox")
    if not isinstance(mbox, str):
        return None
    address = mbox.lower().removeprefix(_MAILTO)
    return address if address.isascii() else normal_email(address) or address


def _object_identity(target: Mapping[str, object]) -> tuple[str, str, Mapping[str, object]]:
    """Type and id of the object, and the activity it is or (for a SubStatement) is about."""
    kind = str(target.get("objectType", "Activity"))
    if kind in {"Agent", "Group"}:
        return kind, actor_key(target), {}
    if kind == "StatementRef":
        return kind, str(target.get("id")).lower(), {}
    if kind == "SubStatement":
        _, inner_id, activity = _object_identity(_members(target, "object"))
        return kind, inner_id, activity
    return kind, str(target.get("id")), target


def _part_of(context: Mapping[str, object]) -> str | None:
    """The activity that a question is part of: its first parent, else its first grouping (Data 2.4.6.2)."""
    related = _members(context, "contextActivities")
    for name in ("parent", "grouping"):
        listed = related.get(name)
        for activity in listed if isinstance(listed, list) else [listed]:
            if isinstance(activity, dict) and isinstance(activity.get("id"), str):
                return str(activity["id"])
    return None


def _completes_lesson(statement: Mapping[str, object], object_id: str, lesson_url: str | None) -> bool:
    """A completion of the lesson itself; of one of its cards only when the sender says so with a completing verb."""
    if not is_completion(statement):
        return False
    if lesson_url is None or lesson_url == normal_iri(object_id):
        return True
    return is_completion({**statement, "result": {}})


def _stored_at(statement: Mapping[str, object]) -> datetime:
    stored = parse_timestamp(str(statement.get("stored")))
    if stored is None:
        message = Text("A statement is flattened after it was prepared: `stored` is missing.")
        raise ValueError(message)
    return stored


def _members(holder: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _text(holder: Mapping[str, object], name: str) -> str | None:
    value = holder.get(name)
    return value if isinstance(value, str) else None


def _flag(holder: Mapping[str, object], name: str) -> bool | None:
    value = holder.get(name)
    return value if isinstance(value, bool) else None


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, float):
        return Decimal(repr(value))
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _in_english(texts: object) -> str | None:
    """One text of a language map: English where there is one, else the first that is not empty."""
    if not isinstance(texts, dict):
        return None
    for language in _PREFERRED_LANGUAGES:
        if texts.get(language):
            return str(texts[language])
    return next((str(text) for text in texts.values() if text), None)


def _last_segment(iri: str) -> str:
    tail = iri.rstrip("/#").rpartition("/")[2]
    return tail.rpartition("#")[2] or iri
