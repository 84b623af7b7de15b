"""What a GET of statements asks for, as its parameters say it (Communication 2.1.3)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from dataforge.contexts.identity.contract import XapiCredential
from dataforge.contexts.lrs.search.domain import Kind, Position, StatementFilter, activity_keys, agent_keys, key_of
from dataforge.contexts.lrs.statements.domain import actor_key
from dataforge.contexts.lrs.statements.domain.validation.formats import is_iri
from dataforge.contexts.lrs.xapi_protocol import XapiCall, XapiParameterInvalid
from dataforge.kernel.access import Action
from dataforge.kernel.access import Kind as ResourceKind
from dataforge.kernel.texts import Text

MAX_LIMIT = 500
DEFAULT_LIMIT = 100
CURSOR = "cursor"
_ONE = ("statementId", "voidedStatementId")
_BESIDE_ONE = ("format", "attachments")
PARAMETERS = (
    *_ONE,
    *("agent", "verb", "activity", "registration", "related_activities", "related_agents", "since", "until"),
    *("limit", "ascending", *_BESIDE_ONE, CURSOR),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Format(StrEnum):
    """How much of each statement is answered."""

    EXACT = "exact"
    IDS = "ids"
    CANONICAL = "canonical"


@dataclass(frozen=True, slots=True)
class AskedStatement:
    """One statement by its id: one that is voided, or one that is not."""

    statement_id: UUID
    voided: bool


def format_of(call: XapiCall) -> Format:
    """The parameter `format`; raises XapiParameterInvalid."""
    given = call.parameters.get("format", Format.EXACT.value)
    try:
        return Format(given)
    except ValueError:
        message = Text("format must be one of {format}; {given!r} is none.", format=", ".join(Format), given=given[:40])
        raise XapiParameterInvalid(message) from None


def flag(call: XapiCall, name: str) -> bool:
    """A parameter that is `true` or `false` (when it is missing); raises XapiParameterInvalid.

    In any letter case: clients in Python write `True`.
    """
    given = call.parameters.get(name, "false").lower()
    if given not in ("true", "false"):
        message = Text("{name} must be true or false; {given!r} is neither.", name=name, given=given[:40])
        raise XapiParameterInvalid(message)
    return given == "true"


def asked_statement(call: XapiCall) -> AskedStatement | None:
    """The one statement that is asked for; None when a list is. Raises XapiParameterInvalid."""
    names = [name for name in _ONE if name in call.parameters]
    if not names:
        return None
    others = sorted(call.parameters.keys() - {names[0], *_BESIDE_ONE})
    if others:
        message = Text(
            "{names} names one statement; it goes with {beside_one} only, not {others}.",
            names=names[0],
            beside_one=" and ".join(_BESIDE_ONE),
            others=others[0],
        )
        raise XapiParameterInvalid(message)
    statement_id = call.uuid(names[0])
    if statement_id is None:  # pragma: no cover - the name is there
        raise AssertionError
    return AskedStatement(statement_id, voided=names[0] == "voidedStatementId")


def asked_filter(call: XapiCall) -> StatementFilter:
    """The filter of a list; raises XapiParameterInvalid."""
    keys: list[tuple[UUID, ...]] = []
    related_agents, related_activities = flag(call, "related_agents"), flag(call, "related_activities")
    if "agent" in call.parameters:
        keys.append(agent_keys(call.agent_key(), related=related_agents))
    if "verb" in call.parameters:
        keys.append((key_of(Kind.VERB, _iri(call, "verb")),))
    if "activity" in call.parameters:
        keys.append(activity_keys(_iri(call, "activity"), related=related_activities))
    registration = call.uuid("registration")
    if registration is not None:
        keys.append((key_of(Kind.REGISTRATION, str(registration)),))
    session = call.credential.session
    if session is not None:
        keys.append((key_of(Kind.REGISTRATION, str(session.registration)),))
    return StatementFilter(
        keys=tuple(keys),
        since=call.timestamp("since"),
        until=call.timestamp("until"),
        authority=None if session is not None or may_read_all(call.credential) else _own(call.credential.authority),
        ascending=flag(call, "ascending"),
        after=_position(call),
        limit=_limit(call),
    )


def may_read_all(credential: XapiCredential) -> bool:
    """Whether the credential reads everybody's statements, not just its own."""
    return credential.may(Action.READ, ResourceKind.STATEMENT)


def _own(authority: Mapping[str, object]) -> UUID:
    return key_of(Kind.AUTHORITY, actor_key(authority))


def _iri(call: XapiCall, name: str) -> str:
    value = call.parameters[name]
    if not is_iri(value):
        message = Text("{name} must be an absolute IRI; {value!r} is none.", name=name, value=value[:60])
        raise XapiParameterInvalid(message)
    return value


def _limit(call: XapiCall) -> int:
    given = call.parameters.get("limit", str(DEFAULT_LIMIT))
    if not (given.isascii() and given.isdigit()) or len(given) > 18:
        message = Text(
            "limit must be a whole number from 0 (as many as possible); {given!r} is none.", given=given[:40]
        )
        raise XapiParameterInvalid(message)
    return min(int(given), MAX_LIMIT) or MAX_LIMIT


def cursor_of(position: Position) -> str:
    """A position as a parameter: opaque to clients."""
    micros = (position.stored_at - _EPOCH) // _MICROSECOND
    return base64.urlsafe_b64encode(micros.to_bytes(8, signed=True) + position.statement_id.bytes).decode()


def _position(call: XapiCall) -> Position | None:
    given = call.parameters.get(CURSOR)
    if given is None:
        return None
    try:
        found = base64.b64decode(given, altchars=b"-_", validate=True)
        micros = int.from_bytes(found[:8], signed=True)
        return Position(_EPOCH + micros * _MICROSECOND, UUID(bytes=found[8:]))
    except (binascii.Error, ValueError, OverflowError) as error:
        message = Text("The cursor is not one of ours: follow `more` as it was given.")
        raise XapiParameterInvalid(message) from error
