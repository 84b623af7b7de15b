"""A real SMTP server that keeps what it is given."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.mailbox import Mailbox


@contextmanager
def receiving(directory: Path) -> Iterator[Mailbox]:
    """A mailbox that listens until the block ends."""
    mailbox = Mailbox(directory)
    mailbox.start()
    try:
        yield mailbox
    finally:
        mailbox.stop()
