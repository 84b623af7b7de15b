"""Plans of attributions as people read them."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.tables import users
from dataforge.kernel.gains import Gain
from dataforge.platform.db.database import row_dict

_NAMES = (users.c.id.label("user_id"), users.c.username, users.c.display_name, users.c.email)


async def shown_gains(connection: AsyncConnection, gains: Sequence[Gain]) -> list[dict[str, Any]]:
    """By person who gains: who they are, and each kind of records with who has them now."""
    ids = {gain.person for gain in gains} | {gain.loser for gain in gains if gain.loser is not None}
    rows = await connection.execute(select(*_NAMES).where(users.c.id.in_(ids)))
    known = {row.user_id: {**row_dict(row), "user_id": str(row.user_id)} for row in rows}
    ordered = sorted(gains, key=lambda gain: (gain.person, gain.kind, str(gain.loser or "")))
    return [
        {**known[person], "gains": [_shown(gain, known) for gain in found]}
        for person, found in groupby(ordered, key=lambda gain: gain.person)
    ]


def _shown(gain: Gain, known: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    loser = None if gain.loser is None else known[gain.loser]
    shown = {"kind": gain.kind, "count": gain.count, "names": list(gain.names), "obstacle": gain.obstacle}
    return {**shown, "held_by": loser}
