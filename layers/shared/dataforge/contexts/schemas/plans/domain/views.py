"""Changes of views and materialized views.

A view that reads what changes is taken down before and made again after, with every view that reads it.
"""

from collections.abc import Iterator, Mapping

from dataforge.contexts.schemas.designs.domain.model import View
from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.designs.domain.rendering import (
    comment_on,
    create_view,
    ordered_views,
)
from dataforge.contexts.schemas.plans.domain.changes import Change, Risk, Statement, change

_EXCLUSIVE = "ACCESS EXCLUSIVE"


def view_changes(current: Mapping[str, View], wanted: Mapping[str, View], moved: set[str]) -> Iterator[Change]:
    """What happens to views; `moved` names the relations and `type:…` that no view can read while they change."""
    going = views_in_the_way(current, wanted, moved)
    for view in reversed(ordered_views(current.values())):
        if view.name in going:
            yield _drop(view, wanted.get(view.name))
    for view in ordered_views(wanted.values()):
        before = current.get(view.name)
        if before is None or view.name in going:
            yield _create(view)
        elif before.comment != view.comment:
            kind = kind_of(view).upper()
            yield change("comment", f"view {view.name}", 95, comment_on(f"{kind} {quoted(view.name)}", view.comment))


def views_in_the_way(current: Mapping[str, View], wanted: Mapping[str, View], moved: set[str]) -> set[str]:
    """The views that go or must be made again, with all that read them."""
    going = {name for name, view in current.items() if name not in wanted or not _can_stay(view, wanted[name])}
    while True:
        more = {name for name, view in current.items() if set(view.depends) & (going | moved)} - going
        if not more:
            return going
        going |= more


def _can_stay(old: View, new: View) -> bool:
    """Whether PostgreSQL can make one of the other where it stands."""
    return (old.query, old.materialized, old.options) == (new.query, new.materialized, new.options)


def _drop(view: View, after: View | None) -> Change:
    kind = kind_of(view)
    lost = Risk.DESTRUCTIVE if after is None else Risk.LOCKING
    op = "drop" if after is None else "rebuild"
    reason = "the view goes" if after is None else "the view is made again: what it reads or says changes"
    sql = f"DROP {kind.upper()} {quoted(view.name)}"
    return change(f"{op} {kind}", f"view {view.name}", 10, sql, risk=lost, lock=_EXCLUSIVE, reason=reason)


def _create(view: View) -> Change:
    kind = kind_of(view)
    statements = [Statement(text) for text in create_view(view)]
    if view.materialized:
        statements.append(Statement(f"REFRESH MATERIALIZED VIEW {quoted(view.name)}", rehearsal=""))
    return Change(f"create {kind}", f"view {view.name}", tuple(statements), 90)


def kind_of(view: View) -> str:
    """`view` or `materialized view`."""
    return "materialized view" if view.materialized else "view"
