"""What a context shows to operators: numbers that say how its work stands, and questions about its data.

Each context says it in `ops.py`; operations is handed what all of them say, and imports none (architecture.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dataforge.kernel.texts import Text

if TYPE_CHECKING:
    from dataforge.platform.module import Module
    from dataforge.platform.services import Platform, Services


class Unit(StrEnum):
    """Units of gauges, as OpenMetrics names them."""

    COUNT = ""
    SECONDS = "seconds"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A number that says how work stands now.

    `sql` is one SELECT of one number, null for none; it costs a few milliseconds on a table of any size, so that it
    counts to a limit at most. Above `worrying_above` somebody should look at it, with `runbook` in hand (a file of
    `infra/runbooks`, without its ending).
    """

    name: str
    title: Text
    sql: str
    unit: Unit = Unit.COUNT
    worrying_above: float | None = None
    runbook: str | None = None


class ParameterKind(StrEnum):
    """Types of parameters of questions."""

    TEXT = "text"
    INTEGER = "integer"
    UUID = "uuid"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What a question is asked with; without a default it has to be given."""

    name: str
    title: Text
    kind: ParameterKind = ParameterKind.TEXT
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedQuery:
    """A question about the data that operators may ask: one SELECT over the views of the schema `terminal`.

    `sql` names its parameters as `:name`.
    """

    name: str
    title: Text
    description: Text
    sql: str
    parameters: Sequence[Parameter] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ops:
    """What one context shows."""

    gauges: Sequence[Gauge] = ()
    queries: Sequence[NamedQuery] = ()


MOST_COUNTED = 10_000
"""Beyond this a count says no more than that."""


def counted(table: str, condition: str) -> str:
    """SQL of how many rows meet a condition, up to MOST_COUNTED."""
    return f"SELECT count(*) FROM (SELECT FROM {table} WHERE {condition} LIMIT {MOST_COUNTED}) AS counted"


def oldest(table: str, column: str, condition: str = "true") -> str:
    """SQL of how many seconds the oldest of some rows has been there; null when there is none."""
    return f"SELECT extract(epoch FROM clock_timestamp() - min({column})) FROM {table} WHERE {condition}"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the context of that name shows."""

    context: str
    ops: Ops


class OpsRegister:
    """What all contexts and the platform show, by name."""

    def __init__(self, _platform: "Platform", modules: "Sequence[Module[Services]]") -> None:
        self._modules = modules

    def shown(self) -> Sequence[Shown]:
        """The platform's own first, then the contexts' by name."""
        from dataforge.platform.db.ops import ops as of_platform

        return [Shown("platform", of_platform()), *(Shown(module.name, module.ops()) for module in self._modules)]
