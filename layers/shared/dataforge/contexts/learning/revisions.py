"""Optimistic concurrency for versioned things."""

from dataforge.kernel.errors import PreconditionFailed


def expect(expected: str, revision: int, what: str) -> None:
    """Raise PreconditionFailed (412) unless the caller read the current revision; `*` matches any."""
    if expected not in ("*", str(revision)):
        message = f"{what} has been changed since you read it; read it again and repeat your change."
        raise PreconditionFailed(message, facts={"current": f'"{revision}"'}, headers={"ETag": f'"{revision}"'})
