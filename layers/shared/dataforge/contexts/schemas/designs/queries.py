"""Reads a live schema from the catalog into the model; PostgreSQL prints every definition itself.

Runs on a psycopg connection inside a transaction and sets its search path to the schema that is read: names within the
schema come without it, so that the texts of two schemas with equal content are equal. The tables where deployments
are kept (`names.RESERVED`) are left out.
"""

import re
from collections import defaultdict
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from dataforge.contexts.schemas.designs.catalog import COLUMNS_OF_VIEWS, COMPOSITES, RANGES, READ_BY_VIEWS, STATISTICS
from dataforge.contexts.schemas.designs.domain.model import (
    Attribute,
    Column,
    CompositeType,
    Constraint,
    Counter,
    DomainType,
    EnumType,
    Index,
    Partition,
    RangeType,
    Schema,
    Sequence,
    Statistics,
    Table,
    View,
    ViewColumn,
)
from dataforge.contexts.schemas.designs.domain.names import quoted, storage_parameters
from dataforge.contexts.schemas.designs.domain.printing import normal_options, normal_text
from dataforge.contexts.schemas.designs.domain.statistics import KINDS, statistics_definition

Row = dict[str, Any]
# Columns of the queries below that hold expressions as PostgreSQL prints them.
_PRINTED = ("query", "expression", "definition", "predicate", "default", "partition_by")
_STORAGES = {"p": "PLAIN", "e": "EXTERNAL", "x": "EXTENDED", "m": "MAIN"}

_RELATIONS = """
SELECT c.oid, c.relname AS name, c.relkind AS kind, c.relpersistence = 'u' AS unlogged,
       coalesce(c.reloptions, '{}')
         || coalesce((SELECT array_agg('toast.' || o) FROM pg_class x, unnest(x.reloptions) o
                       WHERE x.oid = c.reltoastrelid), '{}') AS options,
       CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' WHEN 'i' THEN
         (SELECT 'USING INDEX "' || replace(x.relname, '"', '""') || '"'
            FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
           WHERE i.indrelid = c.oid AND i.indisreplident) END AS replica_identity,
       obj_description(c.oid, 'pg_class') AS comment,
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partition_by,
       CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS bound,
       (SELECT p.relname FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent WHERE h.inhrelid = c.oid LIMIT 1)
         AS parent,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS query
  FROM pg_class c
 WHERE c.relnamespace = %(namespace)s AND c.relkind IN ('r', 'p', 'v', 'm')
   AND c.relname NOT IN ('alembic_version', 'deployment_journal')
 ORDER BY c.relname
"""
_COLUMNS = """
SELECT a.attrelid AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
       NOT a.attnotnull AS nullable, a.attidentity AS identity, a.attgenerated AS generated,
       pg_get_expr(d.adbin, d.adrelid) AS expression, col_description(a.attrelid, a.attnum) AS comment,
       CASE WHEN a.attcollation <> t.typcollation THEN l.collname END AS collation,
       CASE WHEN e.typnamespace = c.relnamespace THEN e.typname
            WHEN t.typnamespace = c.relnamespace THEN t.typname END AS user_type,
       s.seqstart AS start, s.seqincrement AS increment, s.seqmin AS minimum, s.seqmax AS maximum,
       s.seqcache AS cache, s.seqcycle AS cycle, q.relname AS sequence,
       CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END AS storage, a.attcompression AS compression,
       nullif(a.attstattarget, -1) AS statistics, coalesce(a.attoptions, '{}') AS settings
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
  LEFT JOIN pg_collation l ON l.oid = a.attcollation
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_depend p ON a.attidentity <> '' AND p.refclassid = 'pg_class'::regclass AND p.refobjid = a.attrelid
       AND p.refobjsubid = a.attnum AND p.classid = 'pg_class'::regclass AND p.deptype = 'i'
  LEFT JOIN pg_sequence s ON s.seqrelid = p.objid
  LEFT JOIN pg_class q ON q.oid = s.seqrelid
 WHERE c.relnamespace = %(namespace)s AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attrelid, a.attnum
"""
_CONSTRAINTS = """
SELECT o.conrelid AS table, o.contypid AS domain, o.conname AS name, o.contype AS kind,
       pg_get_constraintdef(o.oid) AS definition, obj_description(o.oid, 'pg_constraint') AS comment,
       o.condeferrable AS deferrable, o.condeferred AS deferred, o.confupdtype AS on_update, o.confdeltype AS on_delete,
       o.confmatchtype AS match, o.connoinherit AS no_inherit, pg_get_expr(o.conbin, o.conrelid) AS expression,
       f.relname AS references, coalesce(i.indnullsnotdistinct, false) AS nulls_not_distinct,
       CASE WHEN o.contype IN ('p', 'u') THEN
         coalesce((SELECT x.reloptions FROM pg_class x WHERE x.oid = o.conindid), '{}') END AS options,
       (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.attnum WHERE k.n > i.indnkeyatts) AS included,
       (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(o.conkey) WITH ORDINALITY k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.attnum) AS columns,
       (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(o.confkey) WITH ORDINALITY k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = k.attnum) AS reference_columns,
       (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(o.confdelsetcols) WITH ORDINALITY k(attnum, n)
          JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.attnum) AS delete_columns
  FROM pg_constraint o
  LEFT JOIN pg_class c ON c.oid = o.conrelid
  LEFT JOIN pg_class f ON f.oid = o.confrelid
  LEFT JOIN pg_index i ON i.indexrelid = o.conindid AND o.contype IN ('p', 'u')
 WHERE o.connamespace = %(namespace)s AND o.contype IN ('p', 'u', 'c', 'f', 'x') AND o.conparentid = 0
   AND NOT (coalesce(c.relispartition, false) AND (o.coninhcount > 0 OR NOT o.conislocal))
 ORDER BY o.conname
"""
_INDEXES = """
SELECT i.indrelid AS table, c.relname AS name, i.indisunique AS unique, pg_get_indexdef(i.indexrelid) AS definition,
       obj_description(c.oid, 'pg_class') AS comment, n.nspname AS schema, t.relname AS table_name, t.relkind AS kind,
       i.indexprs IS NOT NULL OR i.indpred IS NOT NULL AS computed, i.indisvalid AS valid, m.amname AS method,
       coalesce(c.reloptions, '{}') AS options,
       (SELECT array_agg(a.attnum || '=' || a.attstattarget ORDER BY a.attnum) FROM pg_attribute a
         WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0) AS statistics,
       i.indnullsnotdistinct AS nulls_not_distinct, pg_get_expr(i.indpred, i.indrelid) AS predicate,
       (SELECT array_agg(DISTINCT a.attname) FROM pg_depend d
          JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
         WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = i.indrelid
           AND d.refobjsubid > 0) AS columns,
       (SELECT json_agg(json_build_object(
                 'text', pg_get_indexdef(i.indexrelid, k::int, true), 'plain', i.indkey[k - 1] <> 0,
                 'opclass_options', (SELECT a.attoptions FROM pg_attribute a
                                      WHERE a.attrelid = i.indexrelid AND a.attnum = k),
                 'included', k > i.indnkeyatts, 'option', CASE WHEN k <= i.indnkeyatts THEN i.indoption[k - 1] END,
                 'opclass', CASE WHEN k <= i.indnkeyatts THEN
                   (SELECT p.opcname FROM pg_opclass p WHERE p.oid = i.indclass[k - 1] AND (NOT p.opcdefault OR
                      EXISTS (SELECT 1 FROM pg_attribute a
                               WHERE a.attrelid = i.indexrelid AND a.attnum = k AND a.attoptions IS NOT NULL))) END,
                 'collation', CASE WHEN k <= i.indnkeyatts AND i.indcollation[k - 1] <> 0 THEN
                   (SELECT l.collname FROM pg_collation l WHERE l.oid = i.indcollation[k - 1] AND l.oid <> coalesce(
                      (SELECT a.attcollation FROM pg_attribute a WHERE a.attrelid = i.indrelid
                          AND a.attnum = i.indkey[k - 1] AND a.attnum <> 0), 100)) END,
                 'column', (SELECT a.attname FROM pg_attribute a
                             WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1] AND a.attnum <> 0))
                 ORDER BY k)
          FROM generate_series(1, i.indnatts::int) k) AS keys
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_am m ON m.oid = c.relam
 WHERE t.relnamespace = %(namespace)s AND NOT c.relispartition
   AND NOT EXISTS (SELECT 1 FROM pg_constraint o WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x'))
 ORDER BY c.relname
"""
_ENUMS = """
SELECT t.typname AS name, obj_description(t.oid, 'pg_type') AS comment,
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS values
  FROM pg_type t WHERE t.typnamespace = %(namespace)s AND t.typtype = 'e' ORDER BY t.typname
"""
_DOMAINS = """
SELECT t.oid, t.typname AS name, format_type(t.typbasetype, t.typtypmod) AS type, NOT t.typnotnull AS nullable,
       pg_get_expr(t.typdefaultbin, 0) AS default, obj_description(t.oid, 'pg_type') AS comment,
       CASE WHEN t.typcollation <> b.typcollation THEN l.collname END AS collation
  FROM pg_type t JOIN pg_type b ON b.oid = t.typbasetype LEFT JOIN pg_collation l ON l.oid = t.typcollation
 WHERE t.typnamespace = %(namespace)s AND t.typtype = 'd' ORDER BY t.typname
"""
_SEQUENCES = """
SELECT c.relname AS name, format_type(s.seqtypid, NULL) AS type, s.seqstart AS start, s.seqincrement AS increment,
       s.seqmin AS minimum, s.seqmax AS maximum, s.seqcache AS cache, s.seqcycle AS cycle,
       obj_description(c.oid, 'pg_class') AS comment, c.relpersistence = 'u' AS unlogged,
       t.relname AS owner_table, a.attname AS owner_column
  FROM pg_sequence s
  JOIN pg_class c ON c.oid = s.seqrelid
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
       AND d.refclassid = 'pg_class'::regclass
  LEFT JOIN pg_class t ON t.oid = d.refobjid
  LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
 WHERE c.relnamespace = %(namespace)s AND coalesce(d.deptype, 'n') <> 'i' ORDER BY c.relname
"""
_KEPT = """
SELECT c.relname, obj_description(c.oid, 'pg_class')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %s AND c.relkind = 'r' ORDER BY c.relname
"""


async def read_schema(connection: AsyncConnection[Any], namespace: str) -> Schema:
    """The schema of that name as it is; empty if there is none."""
    await connection.execute("SELECT set_config('search_path', %s, true)", [quoted(namespace)])
    reader = _Reader(connection)
    found = await reader.rows("SELECT oid FROM pg_namespace WHERE nspname = %(name)s", name=namespace)
    return await reader.schema(found[0]["oid"]) if found else Schema()


async def read_kept_tables(connection: AsyncConnection[Any], namespace: str) -> list[tuple[str, str | None]]:
    """The tables of a trash by name, and what is said of each in its comment."""
    return [(row[0], row[1]) for row in await (await connection.execute(_KEPT, [namespace])).fetchall()]


class _Reader:
    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection

    async def rows(self, query: str, **values: object) -> list[Row]:
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query, values)
            rows = await cursor.fetchall()
        for row in rows:
            row |= {key: normal_text(row[key]) for key in _PRINTED if row.get(key)}
        return rows

    async def schema(self, namespace: int) -> Schema:
        relations = await self.rows(_RELATIONS, namespace=namespace)
        columns, constraints = _Grouped(), _Grouped()
        for row in await self.rows(_COLUMNS, namespace=namespace):
            columns[row["table"]].append(row)
        of_domains = _Grouped()
        for row in await self.rows(_CONSTRAINTS, namespace=namespace):
            (constraints[row["table"]] if row["table"] else of_domains[row["domain"]]).append(row)
        indexes = _Grouped()
        for row in await self.rows(_INDEXES, namespace=namespace):
            indexes[row["table"]].append(row)
        depends, shown = _Grouped(), _Grouped()
        if any(row["kind"] in "vm" for row in relations):
            for row in await self.rows(READ_BY_VIEWS, namespace=namespace):
                depends[row["view"]].append(row)
            for row in await self.rows(COLUMNS_OF_VIEWS, namespace=namespace):
                shown[row["view"]].append(row)
        return Schema(
            enums={
                row["name"]: EnumType(name=row["name"], values=tuple(row["values"] or ()), comment=row["comment"])
                for row in await self.rows(_ENUMS, namespace=namespace)
            },
            domains={
                row["name"]: _domain(row, of_domains[row["oid"]])
                for row in await self.rows(_DOMAINS, namespace=namespace)
            },
            composites={row["name"]: _composite(row) for row in await self.rows(COMPOSITES, namespace=namespace)},
            ranges={row["name"]: RangeType(**row) for row in await self.rows(RANGES, namespace=namespace)},
            sequences={row["name"]: _sequence(row) for row in await self.rows(_SEQUENCES, namespace=namespace)},
            tables={
                row["name"]: _table(row, columns[row["oid"]], constraints[row["oid"]], indexes[row["oid"]])
                for row in relations
                if row["kind"] in "rp" and row["bound"] is None
            },
            partitions={
                row["name"]: Partition(
                    name=row["name"],
                    parent=row["parent"],
                    bound=row["bound"],
                    partition_by=row["partition_by"],
                    constraints={item["name"]: _constraint(item) for item in constraints[row["oid"]]},
                    indexes={item["name"]: _index(item) for item in indexes[row["oid"]]},
                    comment=row["comment"],
                    options=normal_options(row["options"]),
                    unlogged=row["unlogged"],
                )
                for row in relations
                if row["bound"] is not None
            },
            views={
                row["name"]: _view(row, indexes[row["oid"]], depends[row["name"]], shown[row["name"]])
                for row in relations
                if row["kind"] in "vm"
            },
            statistics={row["name"]: _statistics(row) for row in await self.rows(STATISTICS, namespace=namespace)},
        )


class _Grouped(defaultdict[Any, list[Row]]):
    def __init__(self) -> None:
        super().__init__(list)


def _counter(row: Row) -> Counter:
    if row["start"] is None:
        return Counter()
    return Counter(**{name: row[name] for name in ("start", "increment", "minimum", "maximum", "cache", "cycle")})


def _table(row: Row, columns: list[Row], constraints: list[Row], indexes: list[Row]) -> Table:
    return Table(
        name=row["name"],
        columns={item["name"]: _column(item) for item in columns},
        constraints={item["name"]: _constraint(item) for item in constraints},
        indexes={item["name"]: _index(item) for item in indexes},
        comment=row["comment"],
        options=normal_options(row["options"]),
        unlogged=row["unlogged"],
        partition_by=row["partition_by"],
        replica_identity=row["replica_identity"],
    )


def _column(row: Row) -> Column:
    generated = row["generated"] == "s"
    return Column(
        name=row["name"],
        type=row["type"],
        nullable=row["nullable"],
        default=None if generated else row["expression"],
        identity={"a": "ALWAYS", "d": "BY DEFAULT"}.get(row["identity"]),
        counter=_counter(row),
        generated=row["expression"] if generated else None,
        collation=row["collation"],
        comment=row["comment"],
        user_type=row["user_type"],
        storage=_STORAGES.get(row["storage"]),
        compression={"p": "pglz", "l": "lz4"}.get(row["compression"]),
        statistics=row["statistics"],
        settings=tuple(sorted(row["settings"])),
        sequence=row["sequence"],
    )


def _constraint(row: Row) -> Constraint:
    names = (
        "deferrable deferred on_update on_delete match delete_columns no_inherit expression nulls_not_distinct included"
    )
    return Constraint(
        name=row["name"],
        kind=row["kind"],
        definition=row["definition"],
        comment=row["comment"],
        columns=tuple(row["columns"] or ()),
        references=row["references"],
        reference_columns=tuple(row["reference_columns"] or ()),
        options=tuple(sorted(row["options"] or ())),
        detail={name: row[name] for name in names.split()},
    )


def _index(row: Row) -> Index:
    # The text is CREATE [UNIQUE] INDEX name ON [ONLY] schema.table USING …; what comes before USING is known.
    text = row["definition"]
    start = text.index(f" USING {row['method']} (", len(row["name"]) + len(row["table_name"]))
    definition = text[start + 1 :] + ("" if row["valid"] or row["kind"] == "p" else " INVALID")
    bare = definition
    if row["options"]:
        # In the order of their names: PostgreSQL keeps the order in which they were set.
        printed = ", ".join(re.escape(item).replace("=", "='?", 1) + "'?" for item in row["options"])
        head, _, tail = re.sub(rf" WITH \({printed}\)", "\0", definition, count=1).partition("\0")
        bare = head + tail
        definition = f"{head} WITH ({storage_parameters(sorted(row['options']))}){tail}"
    names = "method keys predicate nulls_not_distinct valid"
    return Index(
        name=row["name"],
        unique=row["unique"],
        definition=definition,
        comment=row["comment"],
        columns=tuple(sorted(row["columns"] or ())),
        computed=row["computed"],
        options=tuple(sorted(row["options"])),
        bare=bare,
        statistics=tuple(row["statistics"] or ()),
        detail={name: row[name] for name in names.split()},
    )


def _view(row: Row, indexes: list[Row], depends: list[Row], columns: list[Row]) -> View:
    said = ("default", "comment", "statistics")
    return View(
        name=row["name"],
        query=row["query"].strip().rstrip(";"),
        materialized=row["kind"] == "m",
        options=normal_options(row["options"]),
        comment=row["comment"],
        columns={
            item["name"]: ViewColumn(name=item["name"], **{name: item[name] for name in said})
            for item in columns
            if any(item[name] is not None for name in said)
        },
        indexes={item["name"]: _index(item) for item in indexes},
        depends=tuple(sorted(item["name"] for item in depends)),
        shown=tuple((item["name"], f"{item['type']} {item['collation']}") for item in columns),
    )


def _composite(row: Row) -> CompositeType:
    attributes = {item["name"]: Attribute(**item) for item in row["attributes"] or ()}
    return CompositeType(name=row["name"], attributes=attributes, comment=row["comment"])


def _statistics(row: Row) -> Statistics:
    kinds = tuple(kind for kind in KINDS if {"ndistinct": "d", "dependencies": "f", "mcv": "m"}[kind] in row["kinds"])
    columns = tuple(row["columns"] or ())
    expressions = tuple(normal_text(text) for text in row["expressions"] or ())
    return Statistics(
        name=row["name"],
        table=row["table"],
        definition=statistics_definition(kinds, columns, expressions),
        target=row["target"],
        comment=row["comment"],
        detail={"kinds": kinds, "columns": columns, "expressions": expressions},
    )


def _domain(row: Row, constraints: list[Row]) -> DomainType:
    return DomainType(
        name=row["name"],
        type=row["type"],
        nullable=row["nullable"],
        default=row["default"],
        collation=row["collation"],
        constraints={item["name"]: _constraint(item) for item in constraints},
        comment=row["comment"],
    )


def _sequence(row: Row) -> Sequence:
    owner = (row["owner_table"], row["owner_column"]) if row["owner_table"] else None
    return Sequence(
        name=row["name"],
        type=row["type"],
        counter=_counter(row),
        owner=owner,
        unlogged=row["unlogged"],
        comment=row["comment"],
    )
