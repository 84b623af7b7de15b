"""Make flat rows and progress anew, a page in each transaction; it may be killed anywhere and goes on where it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.lrs.contract import LessonDirectory
from dataforge.contexts.lrs.flat_rows.commands import voids_of, write_flat
from dataforge.contexts.lrs.flat_rows.domain import FlatRow, HomePages, flat_row
from dataforge.contexts.lrs.progress.repository import count_again
from dataforge.contexts.lrs.rebuild.repository import StatementOfRow
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.platform.observability import logger

PAGE = 1000
_NIL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class RebuildPage:
    """A page of the rebuild that is under way: the one that comes next."""

    home_pages: HomePages
    lessons: LessonDirectory
    limit: int = PAGE


async def begin_rebuild(_command: None, uow: LrsUnitOfWork) -> None:
    """Begin unless a rebuild is under way already."""
    await uow.rebuild.begin()


async def rebuild_page(command: RebuildPage, uow: LrsUnitOfWork) -> dict[str, Any]:
    """Do the next page and say how far it is: `statements` and `pairs` done, `done` at the end.

    First all flat rows are compared with their statements, then the progress of everybody is worked out. Rows that are
    right stay as they are, and so does every answer.
    """
    state = await uow.rebuild.state()
    if state["done"]:
        return state
    if "pair" not in state:
        after = UUID(state.get("after", str(_NIL)))
        stored = await uow.rebuild.page(after, command.limit)
        await _make_anew(stored, command, uow)
        state["statements"] = state.get("statements", 0) + len(stored)
        state |= {"after": str(stored[-1].statement_id)} if stored else {"pair": [str(_NIL), str(_NIL)]}
    else:
        first, second = state["pair"]
        pairs = await uow.rebuild.next_pairs((UUID(first), UUID(second)), command.limit)
        await count_again(uow.connection, pairs)
        state["pairs"] = state.get("pairs", 0) + len(pairs)
        state["done"] = not pairs
        if pairs:
            state["pair"] = [str(value) for value in pairs[-1]]
    await uow.rebuild.save({key: value for key, value in state.items() if key != "done"}, done=state["done"])
    return state


@dataclass(frozen=True, slots=True)
class RenewRows:
    """A page of flat rows that earlier rules have made, or a release before this one."""

    home_pages: HomePages
    lessons: LessonDirectory
    limit: int = PAGE


async def renew_rows(command: RenewRows, uow: LrsUnitOfWork) -> int:
    """Make a page of rows by today's rules; how many, 0 when none are left."""
    stored = await uow.rebuild.old_page(command.limit)
    await _make_anew(stored, command, uow)
    return len(stored)


async def _make_anew(stored: Sequence[StatementOfRow], command: RebuildPage | RenewRows, uow: LrsUnitOfWork) -> None:
    read = [(item, row) for item in stored if (row := _flat_row(item, command.home_pages)) is not None]
    if not read:
        return
    revision = await uow.take_revision()
    # Written by a release that took no notice of progress: it counts from now on.
    uncounted = {item.statement_id: revision for item, _ in read if item.form is not None and item.form < 0}
    known = {item.statement_id: item.known_from for item, _ in read if item.known_from is not None} | uncounted
    there = [row for item, row in read if item.form is not None]
    again = await uow.flat.void(voids_of(there, known), uow.now)
    register = command.lessons.within(uow.connection, uow.publish)
    lessons = await register.by_address(sorted({row.lesson_url for row in there if row.lesson_url}))
    rows = [(row, lessons.get(row.lesson_url) if row.lesson_url else None) for row in there]
    matched, pairs = await uow.rebuild.rewrite(rows, revision)
    await count_again(uow.connection, again | pairs)
    await register.record_completions(matched)
    await write_flat([row for item, row in read if item.form is None], uow, command.lessons, recount=True)


def _flat_row(item: StatementOfRow, home_pages: HomePages) -> FlatRow | None:
    try:
        return flat_row(item.payload, home_pages)
    except Exception:  # noqa: BLE001 - whatever is wrong with one statement must not stop the others
        logger.warning("flat row not made anew", exc_info=True, statement_id=str(item.statement_id))
        return None
