"""What a live schema may hold that no target describes: nothing can be proved about it, so that it is named instead."""

from typing import Any

from psycopg import AsyncConnection

_UNMANAGED = """
WITH here AS (SELECT c.oid, c.relname, c.relkind, c.relrowsecurity, c.relispartition
                FROM pg_class c WHERE c.relnamespace = to_regnamespace(%(namespace)s))
SELECT 'row level security of table ' || relname FROM here WHERE relrowsecurity
UNION ALL
SELECT 'inheritance of table ' || relname FROM here
 WHERE NOT relispartition AND relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = here.oid)
UNION ALL
SELECT 'trigger ' || t.tgname || ' on ' || relname FROM here JOIN pg_trigger t ON t.tgrelid = here.oid
 WHERE NOT t.tgisinternal
UNION ALL
SELECT 'rule ' || r.rulename || ' on ' || relname FROM here JOIN pg_rewrite r ON r.ev_class = here.oid
 WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT 'policy ' || p.polname || ' on ' || relname FROM here JOIN pg_policy p ON p.polrelid = here.oid
UNION ALL
SELECT 'foreign table ' || relname FROM here WHERE relkind = 'f'
UNION ALL
SELECT 'function ' || p.proname FROM pg_proc p
 WHERE p.pronamespace = to_regnamespace(%(namespace)s)
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                      AND d.deptype = 'i')
UNION ALL
SELECT 'operator ' || o.oprname FROM pg_operator o WHERE o.oprnamespace = to_regnamespace(%(namespace)s)
UNION ALL
SELECT 'collation ' || c.collname FROM pg_collation c WHERE c.collnamespace = to_regnamespace(%(namespace)s)
ORDER BY 1 LIMIT 20
"""


async def find_unmanaged(connection: AsyncConnection[Any], namespace: str) -> list[str]:
    """The first twenty things of a schema that targets cannot say, in words."""
    cursor = await connection.execute(_UNMANAGED, {"namespace": '"' + namespace + '"'})
    return [name for (name,) in await cursor.fetchall()]
