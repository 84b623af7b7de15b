"""Changes of views and materialized views.

A view that reads what changes is taken down before and made again after, with every view that reads it. One that only
shows more columns at its end is replaced; options, comments and defaults of columns are changed where it stands.
"""

from collections.abc import Iterator, Mapping

from dataforge.contexts.schemas.designs.domain.model import View, ViewColumn
from dataforge.contexts.schemas.designs.domain.names import quoted
from dataforge.contexts.schemas.designs.domain.rendering import (
    comment_on,
    create_view,
    kind_of,
    ordered_views,
    view_column,
    view_statement,
)
from dataforge.contexts.schemas.plans.domain.changes import Change, Risk, Statement, change
from dataforge.kernel.texts import Text

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
        else:
            yield from _in_place(before, view)


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
    if old.materialized or new.materialized:
        return (old.materialized, old.query) == (new.materialized, new.query)
    return old.query == new.query or old.shown == new.shown[: len(old.shown)]


def _drop(view: View, after: View | None) -> Change:
    kind = kind_of(view)
    lost = Risk.DESTRUCTIVE if after is None else Risk.LOCKING
    op = "drop" if after is None else "rebuild"
    reason = Text("the view goes") if after is None else Text("the view is made again: what it reads or says changes")
    sql = f"DROP {kind.upper()} {quoted(view.name)}"
    return change(f"{op} {kind}", f"view {view.name}", 10, sql, risk=lost, lock=_EXCLUSIVE, reason=reason)


def _create(view: View) -> Change:
    kind = kind_of(view)
    statements = [Statement(text) for text in create_view(view)]
    if view.materialized:
        statements.append(Statement(f"REFRESH MATERIALIZED VIEW {quoted(view.name)}", rehearsal=""))
    return Change(f"create {kind}", f"view {view.name}", tuple(statements), 90)


def _in_place(old: View, new: View) -> Iterator[Change]:
    kind, thing = kind_of(new), f"view {new.name}"
    if old.query != new.query:
        # What is said about columns stays, and so does what reads the view.
        reason = Text("it shows more at its end, or the same of something else")
        yield change(f"replace {kind}", thing, 90, view_statement(new, replacing=True), lock=_EXCLUSIVE, reason=reason)
    elif old.options != new.options:
        yield change(f"change {kind}", thing, 60, *_options(old, new), lock=_EXCLUSIVE)
    texts = [comment_on(f"{kind.upper()} {quoted(new.name)}", new.comment)] if old.comment != new.comment else []
    columns = {**old.columns, **new.columns}
    for name in columns:
        said = ViewColumn(name=name)
        texts += view_column(new, old.columns.get(name, said), new.columns.get(name, said))
    if texts:
        comments = all(text.startswith("COMMENT ") for text in texts)
        yield change("comment" if comments else f"change {kind}", thing, 95, *texts)


def _options(old: View, new: View) -> Iterator[str]:
    prefix = f"ALTER {kind_of(new).upper()} {quoted(new.name)}"
    come = [item for item in new.options if item not in old.options]
    kept = {item.partition("=")[0] for item in new.options}
    gone = [key for item in old.options if (key := item.partition("=")[0]) not in kept]
    if gone:
        yield f"{prefix} RESET ({', '.join(gone)})"
    if come:
        yield f"{prefix} SET ({', '.join(come)})"
