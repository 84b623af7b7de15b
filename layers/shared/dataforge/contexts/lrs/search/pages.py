"""Statements for administrators: found by who, what and when, a learner's time line, and one of them whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.quarantine.domain import marked_lines
from dataforge.contexts.lrs.search.domain import (
    Kind as KeyKind,
)
from dataforge.contexts.lrs.search.domain import (
    Position,
    StatementFilter,
    activity_keys,
    agent_keys,
    key_of,
)
from dataforge.contexts.lrs.search.people import AskedPerson, asked_person
from dataforge.contexts.lrs.search.queries import read_one, read_page, statement_facts
from dataforge.contexts.lrs.search.summary import StatementLine, line_of
from dataforge.contexts.lrs.statements.domain import parse_statement_id, parse_timestamp, read_json
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import BadRequest, NotFound
from dataforge.kernel.texts import Text
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("lrs")

PAGE = "/ui/admin/statements"
_ROWS = 50
_NOBODY = key_of(KeyKind.AGENT, "")
_FIELDS = ("person", "verb", "activity", "registration", "since", "until")


@dataclass(frozen=True, slots=True)
class AskedPage:
    """What a form asks for; `person` is whom its words mean."""

    filter: StatementFilter
    person: AskedPerson | None


@router.get(PAGE)
async def list_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.STATEMENT)],
    cursor: Cursor = None,
    person: str = "",
    verb: str = "",
    activity: str = "",
    registration: str = "",
    since: str = "",
    until: str = "",
    related: str = "",
) -> Response:
    """Statements that meet the form, newest first, day by day: with a person, their time line."""
    values = (person, verb, activity, registration, since, until)
    chosen = {**dict(zip(_FIELDS, (value.strip()[:500] for value in values), strict=True)), "related": related[:1]}
    try:
        asked = await _asked(call, chosen, cursor)
    except BadRequest as error:
        return _shown(call, chosen, (), error=error.detail, first=True)
    page = await call.query(read_page, asked.filter)
    lines = [line_of(item.statement_id, item.stored_at, item.body) for item in page.statements]
    last = page.statements[-1] if page.has_more else None
    following = None if last is None else call.following((last.stored_at.isoformat(), str(last.statement_id)))
    return _shown(call, chosen, lines, person=asked.person, first=cursor is None, following=following)


@router.get(f"{PAGE}/{{statement_id}}")
async def statement_page(
    statement_id: UUID, call: Annotated[PageCall, require_page(Action.READ, Kind.STATEMENT)]
) -> Response:
    """One statement whole, with its rows and what it has to do with others."""
    found = await call.query(read_one, statement_id)
    if found is None:
        message = Text("There is no statement {statement_id}.", statement_id=statement_id)
        raise NotFound(message)
    facts = await call.query(statement_facts, statement_id)
    return call.page(
        "lrs/statement.html",
        statement_id=statement_id,
        voided=found.voided,
        line=line_of(statement_id, found.stored_at, found.body),
        stored_at=found.stored_at,
        lines=marked_lines(read_json(found.body), []),
        **facts,
    )


def _shown(
    call: PageCall,
    chosen: Mapping[str, str],
    lines: Sequence[StatementLine],
    *,
    first: bool,
    person: AskedPerson | None = None,
    error: str | None = None,
    following: str | None = None,
) -> Response:
    days = [(day, list(items)) for day, items in groupby(lines, key=lambda line: line.at.date())]
    return call.page(
        "lrs/statements.html",
        status=200 if error is None else 400,
        chosen=chosen,
        days=days,
        person=person,
        error=error,
        first=first,
        following=following,
        filtered=any(chosen.values()),
    )


async def _asked(call: PageCall, chosen: Mapping[str, str], cursor: str | None) -> AskedPage:
    related = bool(chosen["related"])
    keys: list[tuple[UUID, ...]] = []
    person = None
    if chosen["person"]:
        home_pages = call.services(LrsServices).settings.trusted_home_pages
        person = await call.query(asked_person, chosen["person"], home_pages)
        keys.append(tuple(key for name in person.identities for key in agent_keys(name, related=related)) or (_NOBODY,))
    if chosen["verb"]:
        keys.append((key_of(KeyKind.VERB, chosen["verb"]),))
    if chosen["activity"]:
        keys.append(activity_keys(chosen["activity"], related=related))
    if chosen["registration"]:
        registration = parse_statement_id(chosen["registration"])
        if registration is None:
            message = Text("Registration must be a UUID.")
            raise BadRequest(message)
        keys.append((key_of(KeyKind.REGISTRATION, str(registration)),))
    asked = StatementFilter(
        keys=tuple(keys),
        since=_time(chosen, "since"),
        until=_time(chosen, "until"),
        after=_position(call.after(cursor)),
        limit=_ROWS,
    )
    return AskedPage(asked, person)


def _position(after: tuple[Any, ...] | None) -> Position | None:
    return None if after is None else Position(datetime.fromisoformat(str(after[0])), UUID(str(after[1])))


def _time(chosen: Mapping[str, str], name: str) -> datetime | None:
    given = chosen[name]
    if not given:
        return None
    found = parse_timestamp(given if "T" in given else f"{given}T00:00:00Z")
    if found is None:
        message = Text(
            "{name} must be a day or a time, such as 2026-05-04 or 2026-05-04T10:00:00Z.", name=name.capitalize()
        )
        raise BadRequest(message)
    return found
