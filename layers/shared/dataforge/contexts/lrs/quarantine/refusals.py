"""Keep what was refused before the answer: why, and the body, so that somebody can see it and replay it.

Only refusals pay for it, and never with their answer: whatever goes wrong here is logged and passed over.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataforge.contexts.lrs.quarantine.domain import (
    MAX_REFUSED_A_DAY,
    MAX_REFUSED_BYTES,
    QuarantineEntry,
    Reason,
    request_digest,
)
from dataforge.contexts.lrs.quarantine.repository import Quarantine, count_kept
from dataforge.kernel.errors import DataForgeError
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.platform.aws.s3 import AsyncObjects
    from dataforge.platform.db.database import Database

PREFIX = "quarantine/requests/"
_PATIENCE_SECONDS = 1.2
_BREAK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A request that was refused, and with what; `xapi_version` is the line of the standard it was read by."""

    credential: str
    body: bytes
    content_type: str
    xapi_version: str
    error: DataForgeError


class RefusalKeeper:
    """Keeps refused requests of credentials, so many of each a day."""

    def __init__(
        self,
        database: "Database",
        bodies: "AsyncObjects",
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._bodies = bodies
        self._monotonic = monotonic
        self._open_until = 0.0

    async def keep(self, refused: RefusedRequest) -> None:
        """Keep the request, unless so many of its credential were kept today. Never raises."""
        if self._monotonic() < self._open_until:
            return
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._keep(refused)
        except Exception:  # noqa: BLE001 - the refusal is answered all the same
            self._open_until = self._monotonic() + _BREAK_SECONDS
            logger.warning("a refused request is not kept", exc_info=True, pause_seconds=_BREAK_SECONDS)

    async def _keep(self, refused: RefusedRequest) -> None:
        async with self._database.transaction() as connection:
            kept = await count_kept(connection, refused.credential)
        if kept > MAX_REFUSED_A_DAY:
            return
        entry = _entry(refused)
        if entry.s3_key is not None:
            await self._bodies.put(entry.s3_key, refused.body, content_type="application/octet-stream")
        async with self._database.transaction() as connection:
            await Quarantine(connection).add(entry)


def _entry(refused: RefusedRequest) -> QuarantineEntry:
    violations = refused.error.violations
    digest = request_digest(refused.credential, refused.content_type, refused.body)
    return QuarantineEntry(
        body_sha256=digest,
        s3_key=f"{PREFIX}{digest}" if len(refused.body) <= MAX_REFUSED_BYTES else None,
        reason=Reason.REFUSED,
        error=violations[0].message if violations else refused.error.detail,
        pointer=violations[0].pointer if violations else None,
        credential=refused.credential,
        violations=violations,
        content_type=refused.content_type,
        xapi_version=refused.xapi_version,
        body_bytes=len(refused.body),
    )
