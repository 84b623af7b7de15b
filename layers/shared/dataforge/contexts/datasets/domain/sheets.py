"""Sheets: the tables of a version by name."""

from dataforge.kernel.errors import NotFound


class SheetNotFound(NotFound):
    """The version has no such sheet, or several and none was named."""

    code = "sheet_not_found"
    title = "There is no such sheet"
