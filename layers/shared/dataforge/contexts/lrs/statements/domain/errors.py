"""Refusals of statements."""

from dataforge.kernel.errors import Conflict, Unavailable


class StatementConflict(Conflict):
    """An id that is taken is sent with another content (Data 2.3.1)."""

    code = "statement_conflict"
    title = "The statement id belongs to another statement"


class QueueUnavailable(Unavailable):
    """Statements cannot be made durable at the moment; none was accepted."""

    code = "queue_unavailable"
    title = "Statements cannot be accepted at the moment"
