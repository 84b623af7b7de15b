"""Records that an address has brought to nobody, or to somebody who only claims it: what its owner would gain.

Each context says in its `attributions.py` what it has of these records and gives them; identity makes the plan of it
and applies it in one transaction (`identity.attributions`).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from dataforge.kernel.gains import Gain
from dataforge.platform.services import Platform, Services

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from dataforge.platform.db.unit_of_work import SqlUnitOfWork
    from dataforge.platform.module import Module

Built = TypeVar("Built", bound=Services)


@dataclass(frozen=True, slots=True)
class Attribution(Generic[Built]):
    """What one context has: `found` for these people (None: for everybody), and what gives it to them.

    Both look for the same records by the same rule. `given` runs before the organisation vouches for the addresses.
    """

    found: "Callable[[AsyncConnection, Sequence[UUID] | None], Awaitable[Sequence[Gain]]]"
    given: "Callable[[Sequence[UUID], SqlUnitOfWork, Built], Awaitable[None]]"


class AttributionRegister:
    """What all contexts have, in the order of their names."""

    def __init__(self, platform: Platform, modules: "Sequence[Module[Any]]") -> None:
        self._parts = [(part, platform.get(module.services)) for module in modules if (part := module.attribution())]

    async def found(self, connection: "AsyncConnection", people: Sequence[UUID] | None) -> Sequence[Gain]:
        """What these people would gain (None: everybody)."""
        return [gain for part, _ in self._parts for gain in await part.found(connection, people)]

    async def given(self, people: Sequence[UUID], uow: "SqlUnitOfWork") -> None:
        """Give it to them."""
        for part, services in self._parts:
            await part.given(people, uow, services)
