"""What the database refuses for good, and what it may take another time."""

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError


def refused(error: Exception) -> bool:
    """Whether the database refuses a value (SQLSTATE classes 22, 23 and 54), so that repeating it is useless."""
    if isinstance(error, DataError | IntegrityError | ValueError | TypeError | OverflowError):
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return isinstance(error, DBAPIError) and state[:2] in ("22", "23", "54")


def constraint_of(error: DBAPIError) -> str:
    """The name of the constraint that was violated; empty when the database names none."""
    return getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""


def table_of(error: DBAPIError) -> str:
    """The name of the table whose row was refused or is referred to; empty when the database names none."""
    return getattr(getattr(error.orig, "diag", None), "table_name", "") or ""
