"""The write SQL of checks for drift: the deployer writes them, with the event that people hear of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection as Driver

_STATE = """
SELECT r.fingerprint, r.revision, c.announced_fingerprint,
       (SELECT d.status FROM schemas.deployments d WHERE d.workspace_id = r.workspace_id
         ORDER BY d.created_at DESC, d.id DESC LIMIT 1) AS status,
       array(SELECT m.user_id FROM workspaces.memberships m
              WHERE m.workspace_id = r.workspace_id AND m.role IN ('owner', 'admin') ORDER BY m.user_id) AS keepers
  FROM schemas.revisions r LEFT JOIN schemas.drift_checks c ON c.workspace_id = r.workspace_id
 WHERE r.workspace_id = %s ORDER BY r.number DESC LIMIT 1
"""
_KEEP = """
INSERT INTO schemas.drift_checks (workspace_id, checked_at, revision, found_fingerprint, drifted, announced_fingerprint)
VALUES (%(workspace)s, %(now)s, %(revision)s, %(found)s, %(drifted)s, %(announced)s)
    ON CONFLICT (workspace_id) DO UPDATE
   SET checked_at = excluded.checked_at, revision = excluded.revision, found_fingerprint = excluded.found_fingerprint,
       drifted = excluded.drifted, announced_fingerprint = excluded.announced_fingerprint
"""
_PUT_OFF = """
INSERT INTO schemas.drift_checks (workspace_id, checked_at, revision, found_fingerprint, drifted)
VALUES (%(workspace)s, %(now)s, %(revision)s, %(found)s, false)
    ON CONFLICT (workspace_id) DO UPDATE SET checked_at = excluded.checked_at
"""


class DriftState(NamedTuple):
    """What was deployed last, what people have heard of, and who shall hear."""

    fingerprint: str
    revision: str
    announced: str | None
    status: str
    keepers: Sequence[UUID]


async def drift_state(connection: "Driver[Any]", workspace_id: UUID) -> DriftState | None:
    """How a workspace stands; None when nothing was deployed."""
    row = await (await connection.execute(_STATE, [workspace_id])).fetchone()
    return None if row is None else DriftState(*row)


async def keep_check(
    connection: "Driver[Any]", workspace_id: UUID, state: DriftState, found: str, now: datetime
) -> None:
    """Write down what a check has found; a drift is announced once, and again only when it is another."""
    drifted = found != state.fingerprint
    values = {"workspace": workspace_id, "now": now, "revision": state.revision, "found": found, "drifted": drifted}
    await connection.execute(_KEEP, {**values, "announced": found if drifted else None})


async def put_off_check(connection: "Driver[Any]", workspace_id: UUID, state: DriftState, now: datetime) -> None:
    """Look again in an hour, and leave what was found before as it is."""
    values = {"workspace": workspace_id, "now": now, "revision": state.revision, "found": state.fingerprint}
    await connection.execute(_PUT_OFF, values)
