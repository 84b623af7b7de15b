"""Who may have a code or number that can be had once: checked by a plan as the database would when it is applied."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Claim:
    """A row of the file wants a key; `entity` is the thing it describes, None for one that it would create."""

    row_no: int
    line: int
    key: Hashable
    entity: UUID | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a claim fails: the other lines of the file that want the same, or else the thing that has the key."""

    lines: tuple[int, ...] = ()
    holder: UUID | None = None


def settle_claims(claims: Iterable[Claim], holders: Mapping[Hashable, UUID]) -> dict[int, Refused]:
    """The claims that fail, by row; `holders` tells who has each wanted key now.

    Two rows that want one key both fail, whoever has it. A key that somebody has is free when its holder leaves it for
    another key in the same file, unless that fails. The result does not depend on the order of the claims.
    """
    wanted: dict[Hashable, list[Claim]] = {}
    for claim in claims:
        wanted.setdefault(claim.key, []).append(claim)
    refused: dict[int, Refused] = {}
    moving: dict[UUID, Claim] = {}
    for same in wanted.values():
        for claim in same:
            if len(same) > 1:
                lines = tuple(sorted(other.line for other in same))
                refused[claim.row_no] = Refused(lines, None)
            elif claim.entity is not None and holders.get(claim.key) != claim.entity:
                moving[claim.entity] = claim
    while True:
        failed = [
            (claim, holder)
            for same in wanted.values()
            for claim in same
            if claim.row_no not in refused
            and (holder := holders.get(claim.key)) is not None
            and holder != claim.entity
            and holder not in moving
        ]
        if not failed:
            return refused
        for claim, holder in failed:
            refused[claim.row_no] = Refused((), holder)
            if claim.entity is not None:
                moving.pop(claim.entity, None)
