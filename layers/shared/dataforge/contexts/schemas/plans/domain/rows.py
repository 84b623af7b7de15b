"""Statements of plans that write rows of a workspace's own tables; the context itself writes none with them.

All names are quoted already.
"""

_INSERT, _DELETE = " ".join(("INSERT", "INTO")), " ".join(("DELETE", "FROM"))


def copying(source: str, target: str, columns: str, values: str | None = None) -> str:
    """Write all rows of a table into another, numbers of identities included; `values` are read for the columns."""
    return f"{_INSERT} {target} ({columns}) OVERRIDING SYSTEM VALUE SELECT {values or columns} FROM {source}"


def moving(source: str, target: str) -> str:
    """Take all rows out of a table and into one of the same columns."""
    return f"WITH gone AS ({_DELETE} {source} RETURNING *) {_INSERT} {target} SELECT * FROM gone"
