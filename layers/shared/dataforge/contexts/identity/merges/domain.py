"""What is known of a merge."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from dataforge.kernel.principal import Role

# No transaction lasts longer than the longest function may run (15 minutes): whatever had looked the merged account up
# before it was gone has written by then.
REPEATED_AFTER: Final = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class ImportedAccount:
    """An account that an import made and nobody uses yet."""

    user_id: UUID
    role: Role


@dataclass(frozen=True, slots=True)
class Merge:
    """Which account is gone, and whose everything of it is."""

    merged: UUID
    kept: UUID
