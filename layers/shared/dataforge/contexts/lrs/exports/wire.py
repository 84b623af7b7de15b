"""Wire models of exports."""

from dataforge.contexts.lrs.exports.domain import Export, FileFormat
from dataforge.contexts.lrs.selections.wire import SelectionIn


class StatementExportIn(SelectionIn):
    """Which statements, as GET statements would list them; with `voided` also those that are voided.

    JSON lines have them exactly as they are stored, and can be imported; `csv` and `parquet` have a row for each.
    """

    format: FileFormat = FileFormat.JSONL
    gzip: bool = False
    voided: bool = False

    @property
    def export(self) -> Export:
        """The export that is meant."""
        return Export(selection=self.selection, format=self.format, gzip=self.gzip, voided=self.voided)
