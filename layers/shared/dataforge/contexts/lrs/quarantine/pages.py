"""Quarantine for administrators: what is wrong stands at its place in the body."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from dataforge.contexts.lrs.quarantine import queries
from dataforge.contexts.lrs.quarantine.calls import desk_of, read_entry
from dataforge.contexts.lrs.quarantine.domain import BodyLine, QuarantineState, Reason, marked_lines
from dataforge.contexts.lrs.statements.domain import parse_json, read_json
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import BadRequest, DataForgeError
from dataforge.kernel.texts import Text
from dataforge.web.calls import Chosen, PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("lrs")

PAGE = "/ui/admin/quarantine"
_ROWS = 50
_SHOWN_CHARACTERS = 100_000
_JSON_CHARACTERS = 512 * 1024


@router.get(PAGE)
async def list_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.QUARANTINE)],
    cursor: Cursor = None,
    state: Annotated[QuarantineState | None, Chosen] = None,
    reason: Annotated[Reason | None, Chosen] = None,
    credential: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """What could not become a statement, newest first."""
    asked = queries.QuarantineFilter(reason, state, credential.strip() or None)
    page = await call.query(queries.list_quarantine, asked, after=call.after(cursor), limit=_ROWS)
    chosen = {"state": state or "", "reason": reason or "", "credential": credential}
    return call.page(
        "lrs/quarantine.html",
        entries=page.rows,
        chosen=chosen,
        states=[(item.value, item.value.capitalize()) for item in QuarantineState],
        reasons=[(item.value, item.value.capitalize()) for item in Reason],
        first=cursor is None,
        following=call.following(page.next_key),
    )


@router.get(f"{PAGE}/{{entry_id}}")
async def entry_page(entry_id: UUID, call: Annotated[PageCall, require_page(Action.READ, Kind.QUARANTINE)]) -> Response:
    """One entry with its body, and what can be done about it."""
    return await _entry(call, entry_id)


@router.post(f"{PAGE}/{{entry_id}}/replay")
async def replay_page(
    entry_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.QUARANTINE)]
) -> Response:
    """Replay an entry as it is, or with the body that was corrected in the form."""
    given = call.form.get("body")
    try:
        correction = None if given is None else parse_json(given.encode())
        outcome = await desk_of(call).replay(entry_id, correction)
    except DataForgeError as error:
        return await _entry(call, entry_id, error, given)
    number = len(outcome.statement_ids)
    made = Text("1 statement") if number == 1 else Text("{number} statements", number=number)
    again = Text("It had been replayed before") if outcome.repeated else Text("It is replayed")
    return call.go_on("success", f"{again}: {made}." if number else f"{again}.", PAGE, entry_id)


@router.post(f"{PAGE}/{{entry_id}}/discard")
async def discard_page(
    entry_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.QUARANTINE)]
) -> Response:
    """Discard an entry."""
    await desk_of(call).discard(entry_id)
    return call.go_on("success", Text("The entry is discarded and its body deleted."), PAGE, entry_id)


async def _entry(
    call: PageCall, entry_id: UUID, error: DataForgeError | None = None, given: str | None = None
) -> Response:
    facts, body = await read_entry(call, entry_id)
    violations = facts["violations"]
    lines, text, is_json = _lines(body, violations)
    if error is not None and error.violations:
        violations = [{"pointer": item.pointer, "message": item.message} for item in error.violations]
    return call.page(
        "lrs/quarantine_entry.html",
        status=200 if error is None else error.status,
        entry=facts,
        violations=violations,
        lines=lines,
        text=given if given is not None else text,
        correctable=is_json and facts["reason"] != Reason.UNREADABLE,
        error=error,
    )


def _lines(body: bytes | None, violations: list[dict[str, object]]) -> tuple[list[BodyLine], str, bool]:
    """The body as lines with what is wrong at its place, as text to be corrected, and whether it is JSON."""
    if body is None:
        return [], "", True
    text = body.decode(errors="replace")
    try:
        if len(text) > _JSON_CHARACTERS:
            raise BadRequest(text[:0])
        lines = marked_lines(read_json(text), violations)
    except (ValueError, RecursionError, BadRequest):
        return [BodyLine(line) for line in text[:_SHOWN_CHARACTERS].splitlines()], text, False
    return lines, "\n".join(line.text for line in lines), True
