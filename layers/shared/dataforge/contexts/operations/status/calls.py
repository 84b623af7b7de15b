"""What the API and the pages ask of the status."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dataforge.contexts.operations.status import wire
from dataforge.contexts.operations.status.queries import Reading, read_gauges
from dataforge.http.call import Call
from dataforge.kernel.errors import DataForgeError
from dataforge.platform.ops import OpsRegister
from dataforge.platform.services import QUEUES


@dataclass(frozen=True, slots=True)
class Status:
    """Readings of all gauges, and what health says of database and queues."""

    at: datetime
    readings: list[Reading]
    database: dict[str, Any]
    queues: list[wire.QueueDepthOut]

    @property
    def ok(self) -> bool:
        """Whether nobody need look."""
        answering = self.database["status"] == "ok" and all(queue.status == "ok" for queue in self.queues)
        return answering and not any(reading.worrying for reading in self.readings) and not self.dead_letters

    @property
    def dead_letters(self) -> int:
        """About how many messages were given up, in all queues."""
        return sum(queue.dead_letters or 0 for queue in self.queues)


async def read_status(call: Call) -> Status:
    """How everything stands; what does not answer is named."""
    health = await call.platform.health()
    try:
        readings = await call.query(read_gauges, call.platform.get(OpsRegister).shown())
    except DataForgeError:  # the database is away, which health says
        readings = []
    return Status(call.platform.clock.now(), readings, health["database"], _depths(health["queues"]))


def _depths(found: dict[str, dict[str, Any]]) -> list[wire.QueueDepthOut]:
    depths = []
    for name in (name for name in QUEUES if name in found):
        queue, dead = found[name], found.get(f"{name}_dlq", {})
        answers = queue["status"] == dead.get("status", "ok") == "ok"
        counts = {key: queue.get(key) for key in ("waiting", "in_flight", "delayed")}
        depths.append(
            wire.QueueDepthOut(
                name=name,
                status="ok" if answers else "unreachable",
                **counts,
                dead_letters=sum(dead.get(key, 0) for key in ("waiting", "in_flight", "delayed")) if dead else None,
            )
        )
    return depths
