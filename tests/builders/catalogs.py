"""What PostgreSQL's catalog says of a schema, read without the product's own reader: for comparing two of them."""

from typing import Any

import psycopg

_CATALOG = """
WITH here AS (SELECT * FROM pg_class WHERE relnamespace = %(schema)s::regnamespace AND relkind <> 'c')
SELECT jsonb_build_array('column', here.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
         a.attidentity, a.attgenerated, a.attstorage, a.attcompression, a.attstattarget, a.attoptions::text,
         pg_get_expr(d.adbin, d.adrelid), col_description(here.oid, a.attnum), a.attcollation::regcollation::text)::text
  FROM here JOIN pg_attribute a ON a.attrelid = here.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = here.oid AND d.adnum = a.attnum
 WHERE here.relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT jsonb_build_array('relation', relname, relkind, relpersistence, relreplident,
         (SELECT array_agg(option ORDER BY option) FROM unnest(reloptions) option),
         obj_description(oid, 'pg_class'), pg_get_expr(relpartbound, oid),
         CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) WHEN relkind IN ('i', 'I') THEN pg_get_indexdef(oid)
              WHEN relkind = 'p' THEN pg_get_partkeydef(oid) END,
         (SELECT t.reloptions::text FROM pg_class t WHERE t.oid = here.reltoastrelid),
         (SELECT ARRAY[i.indisvalid, i.indisclustered, i.indisreplident]::text FROM pg_index i
           WHERE i.indexrelid = here.oid))::text
  FROM here
UNION ALL
SELECT jsonb_build_array('constraint', c.relname, t.typname, o.conname, pg_get_constraintdef(o.oid), o.convalidated,
         obj_description(o.oid, 'pg_constraint'))::text
  FROM pg_constraint o LEFT JOIN pg_class c ON c.oid = o.conrelid LEFT JOIN pg_type t ON t.oid = o.contypid
 WHERE o.connamespace = %(schema)s::regnamespace
UNION ALL
SELECT jsonb_build_array('type', t.typname, t.typtype, t.typdefault, t.typnotnull,
         format_type(t.typbasetype, t.typtypmod), t.typcollation::regcollation::text, obj_description(t.oid, 'pg_type'),
         (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))::text
  FROM pg_type t WHERE t.typnamespace = %(schema)s::regnamespace AND t.typtype IN ('e', 'd', 'r')
UNION ALL
SELECT jsonb_build_array('sequence', here.relname, s.seqtypid::regtype::text, s.seqstart, s.seqincrement, s.seqmin,
         s.seqmax, s.seqcache, s.seqcycle,
         (SELECT ARRAY[d.refobjid::regclass::text, a.attname] FROM pg_depend d
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
           WHERE d.classid = 'pg_class'::regclass AND d.objid = here.oid AND d.deptype IN ('a', 'i')))::text
  FROM here JOIN pg_sequence s ON s.seqrelid = here.oid
UNION ALL
SELECT jsonb_build_array('statistics', stxname, pg_get_statisticsobjdef(oid), stxstattarget)::text
  FROM pg_statistic_ext WHERE stxnamespace = %(schema)s::regnamespace
"""
_TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""


async def catalog_of(connection: "psycopg.AsyncConnection[Any]", schema: str) -> list[str]:
    """Everything of a schema in words that do not name it."""
    await connection.execute(f"SET LOCAL search_path TO {schema}")
    cursor = await connection.execute(_CATALOG, {"schema": schema})
    found = sorted(text.replace(schema, "here") for (text,) in await cursor.fetchall())
    await connection.rollback()
    return found


async def rows_of(connection: "psycopg.AsyncConnection[Any]", schema: str) -> dict[str, list[str]]:
    """The rows of each table, as JSON."""
    names = [name for (name,) in await (await connection.execute(_TABLES, [schema])).fetchall()]
    found = {}
    for name in names:
        identifier = psycopg.sql.Identifier(schema, name)
        query = psycopg.sql.SQL("SELECT to_jsonb(r)::text FROM {} r ORDER BY 1").format(identifier)
        found[name] = [text for (text,) in await (await connection.execute(query)).fetchall()]
    await connection.rollback()
    return found
