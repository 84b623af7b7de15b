"""Rules of plans that give people what came for their address before they had proved it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.kernel.gains import Gain

KIND = "identity.attribution"
MOST_PEOPLE = 200
"""People of one plan: what it gives is given in one transaction."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a plan has given: how many records of each kind, and to how many people."""

    people: int
    records: dict[str, int]


def first_people(gains: Sequence[Gain]) -> tuple[list[UUID], bool]:
    """The people that one plan is about, and whether there are more."""
    people = sorted({gain.person for gain in gains})
    return people[:MOST_PEOPLE], len(people) > MOST_PEOPLE


def attribution_state(gains: Sequence[Gain]) -> dict[str, Any]:
    """What a plan rests on: which records there are, who has them and who would."""
    rows = [
        [str(gain.person), str(gain.loser or ""), gain.kind, str(gain.count), gain.fingerprint, gain.obstacle or ""]
        for gain in gains
    ]
    return {"gains": sorted(rows)}


def given_by(gains: Sequence[Gain]) -> Outcome:
    """What applying a plan gives: all that nothing stands against."""
    given = [gain for gain in gains if gain.obstacle is None]
    records: Counter[str] = Counter()
    for gain in given:
        records[gain.kind] += gain.count
    return Outcome(len({gain.person for gain in given}), dict(records))
