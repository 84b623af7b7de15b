"""Relations as statements read them: opened for a person, then page by page as of one watermark."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dataforge.contexts.datasets.contract import ReportColumnType, ReportRows
from dataforge.contexts.lrs.contract import StatementMatching
from dataforge.contexts.reports.basis import Basis, Window
from dataforge.contexts.reports.relations.domain import SCHEMA, Values, matched_arguments, missing_relation
from dataforge.contexts.reports.relations.views import VIEWS, ReportView
from dataforge.contexts.reports.relations.wire import COLUMN_TYPES, argument_values
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.principal import Principal
from dataforge.kernel.rules import require_scope
from dataforge.platform.access import Decisions
from dataforge.platform.services import Platform


@dataclass(frozen=True, slots=True)
class StatementReader:
    """Somebody whose statement reads reports."""

    platform: Platform
    decisions: Decisions

    async def query(self, function: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function
        """Run one query function in a READ ONLY transaction."""
        async with self.platform.database.read_only() as connection:
            return await function(connection, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class OpenedReport:
    """A relation for one statement; see `OpenReport` of the contract of datasets."""

    reader: StatementReader
    view: ReportView
    given: Values
    basis: Basis
    first: ReportRows

    @property
    def columns(self) -> Mapping[str, ReportColumnType]:
        """Columns by name."""
        return {name: COLUMN_TYPES[kind] for name, kind in self.view.columns.items()}

    @property
    def watermark(self) -> datetime:
        """As of when."""
        return self.basis.watermark

    @property
    def removed_since(self) -> int:
        """How many statements have been removed after the watermark."""
        return self.basis.removed_since

    async def page(self, key: tuple[object, ...]) -> ReportRows:
        """The page that begins with a key."""
        _, rows = await read_page(self.reader, self.view, self.given, Window(after=key, limit=self.view.page_rows))
        return rows


class ReportRelations:
    """What statements may read of reports."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    @property
    def names(self) -> Sequence[str]:
        """Names without the schema."""
        return list(VIEWS)

    async def open(
        self,
        principal: Principal,
        name: str,
        arguments: Sequence[tuple[str | None, str | None]],
        as_of: datetime | None,
    ) -> OpenedReport:
        """Decide whether the person may read it, and read its first page.

        Raises Forbidden, NotFound and the refusals of the report; RelationMissing and ArgumentsRefused.
        """
        if principal.scopes is not None:
            require_scope(principal.scopes, Action.READ, Kind.REPORT)
        view = VIEWS.get(name.lower())
        if view is None:
            raise missing_relation(name, self.names)
        shown = f"{SCHEMA}.{view.name}"
        given = argument_values(shown, view.parameters, matched_arguments(shown, view.parameters, arguments))
        reader = StatementReader(self._platform, Decisions(self._platform, principal))
        known = {**given, **await view.admit(reader, given)}
        basis, first = await read_page(reader, view, known, Window(as_of, limit=view.page_rows))
        return OpenedReport(reader, view, known, basis, first)


async def read_page(
    reader: StatementReader, view: ReportView, given: Values, window: Window
) -> tuple[Basis, ReportRows]:
    """A page of a relation and what it rests on."""
    statements = reader.platform.get(StatementMatching)
    report, table = await reader.query(view.read, statements, given, window)
    return report.basis, ReportRows(table.rows, getattr(report, "next_key", None))
