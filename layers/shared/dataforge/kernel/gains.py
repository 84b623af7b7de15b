"""What somebody would gain who has proved that an e-mail address is theirs."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Records of one kind that belong to the address that `person` has proved, and that `loser` has: None for nobody.

    `fingerprint` is another one when it is other records; `names` are some of those by which people know them. With an
    `obstacle`, which says why, they are not given.
    """

    person: UUID
    loser: UUID | None
    kind: str
    count: int
    fingerprint: str
    names: tuple[str, ...] = ()
    obstacle: str | None = None
