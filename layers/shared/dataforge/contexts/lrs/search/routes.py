"""Reading statements (Communication 2.1.3); imported with the first GET, since it brings the database along."""

import re
from collections.abc import Sequence
from email.utils import format_datetime

from starlette.responses import Response

from dataforge.contexts.lrs.activities.repository import read_definitions
from dataforge.contexts.lrs.attachments.domain import Attachment, mixed_body, named_in
from dataforge.contexts.lrs.search.domain import Position
from dataforge.contexts.lrs.search.queries import MAX_PAGE_BYTES, StatementPage, StoredStatement, read_one, read_page
from dataforge.contexts.lrs.search.wire import (
    CURSOR,
    PARAMETERS,
    AskedStatement,
    Format,
    asked_filter,
    asked_statement,
    cursor_of,
    flag,
    format_of,
    may_read_all,
)
from dataforge.contexts.lrs.statements.domain import XapiVersion, actor_key, read_statement, to_json
from dataforge.contexts.lrs.statements.domain.formats import (
    Languages,
    activity_ids,
    as_canonical,
    as_ids,
    with_times_in_utc,
)
from dataforge.contexts.lrs.statements.domain.times import in_utc
from dataforge.contexts.lrs.xapi_protocol import XapiCall
from dataforge.http.addresses import this_address
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text

# Where a stored statement, its SubStatement or an extension of either has a time.
_TIMES = re.compile(r'"timestamp": ?"([^"]*)"')


class StatementNotFound(NotFound):
    """No statement has the id, or it is (not) voided, or the credential reads its own statements only."""

    code = "statement_not_found"
    title = "There is no such statement"


async def read_statements(call: XapiCall) -> Response:
    """One statement, or a page of those that meet the filter."""
    call.require(Action.READ, Kind.STATEMENT, own=True)
    call.check_parameters(PARAMETERS)
    wanted = format_of(call)
    with_data = flag(call, "attachments")
    asked = asked_statement(call)
    if asked is not None:
        return await _one(call, asked, wanted, with_data=with_data)
    sought = asked_filter(call)
    async with call.services.database.single_read() as connection:
        page = await read_page(connection, sought)
    page, data = await _with_data(call, page) if with_data else (page, None)
    bodies = await _formatted(page.statements, wanted, call)
    return _answer(b'{"statements":[%s],"more":%s}' % (b",".join(bodies), to_json(_more(call, page))), data)


async def _with_data(call: XapiCall, page: StatementPage) -> tuple[StatementPage, list[Attachment]]:
    """The attachments of a page, cut where both together would be more than an answer may have."""
    size, known, found = 0, set[str](), list[Attachment]()
    for number, item in enumerate(page.statements):
        named = [one for one in named_in([read_statement(item.body)]) if one[1] not in known]
        # One statement alone leaves out what it has no room for; of several, the page ends before it.
        left = MAX_PAGE_BYTES - len(item.body)
        new = await call.services.attachments.read(named, most_bytes=left) if named else []
        size += len(item.body) + sum(len(one.content) for one in new)
        if number and size > MAX_PAGE_BYTES:
            return StatementPage(page.statements[:number], has_more=True), found
        known |= {one.sha2 for one in new}
        found += new
    return page, found


async def _one(call: XapiCall, asked: AskedStatement, wanted: Format, *, with_data: bool) -> Response:
    async with call.services.database.single_read() as connection:
        found = await read_one(connection, asked.statement_id)
    if found is None or found.voided is not asked.voided or not _may_read(call, found):
        message = Text(
            "There is no {kind} {statement_id} here.",
            kind=Text("voided statement") if asked.voided else Text("statement"),
            statement_id=asked.statement_id,
        )
        raise StatementNotFound(message)
    (body,) = await _formatted([found], wanted, call)
    data = (await _with_data(call, StatementPage([found], has_more=False)))[1] if with_data else None
    answer = _answer(body, data)
    answer.headers["Last-Modified"] = format_datetime(found.stored_at, usegmt=True)
    return answer


def _may_read(call: XapiCall, found: StoredStatement) -> bool:
    session = call.credential.session
    if session is not None:
        context = read_statement(found.body).get("context")
        return isinstance(context, dict) and str(context.get("registration")).lower() == str(session.registration)
    if may_read_all(call.credential):
        return True
    authority = read_statement(found.body).get("authority")
    return isinstance(authority, dict) and actor_key(authority) == actor_key(call.credential.authority)


async def _formatted(statements: Sequence[StoredStatement], wanted: Format, call: XapiCall) -> list[bytes]:
    utc = call.version is XapiVersion.V2_0
    if wanted is Format.EXACT:
        return [_in_utc(item.body) if utc else item.body.encode() for item in statements]
    parsed = [read_statement(item.body) for item in statements]
    if utc:
        parsed = [with_times_in_utc(item) for item in parsed]
    if wanted is Format.IDS:
        return [to_json(as_ids(item)) for item in parsed]
    ids = {activity_id for item in parsed for activity_id in activity_ids(item)}
    async with call.services.database.single_read() as connection:
        known = await read_definitions(connection, sorted(ids))
    definitions = {activity_id: item.definition for activity_id, item in known.items()}
    languages = Languages(call.request.headers.get("accept-language", ""))
    return [to_json(as_canonical(item, definitions, languages)) for item in parsed]


def _in_utc(body: str) -> bytes:
    """A statement for a client of 2.0, parsed only where it has a time that 2.0 writes otherwise."""
    if all(in_utc(found[1]) == found[1] for found in _TIMES.finditer(body)):
        return body.encode()
    return to_json(with_times_in_utc(read_statement(body)))


def _more(call: XapiCall, page: StatementPage) -> str:
    """Where the next page is; empty when there is none."""
    if not page.has_more:
        return ""
    last = page.statements[-1]
    return this_address(call.request.scope, **{CURSOR: cursor_of(Position(last.stored_at, last.statement_id))})


def _answer(body: bytes, attachments: Sequence[Attachment] | None) -> Response:
    if attachments is None:
        return Response(body, media_type="application/json")
    mixed, content_type = mixed_body(body, attachments)
    return Response(mixed, headers={"Content-Type": content_type})
