"""What the expressions and queries of a schema may call and read, judged on what PostgreSQL has parsed them to.

The node trees of the catalog name every function and relation by its oid, however the text spelled it. Immutable
built-in functions are allowed, others by name; relations must be of the schema itself.
"""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from psycopg import AsyncConnection

from dataforge.kernel.errors import ValidationFailed, Violation
from dataforge.kernel.texts import Text

# Built-in functions that are stable or volatile and yet harmless; casts are functions named like their type.
_HARMLESS_NAMES = (
    "now transaction_timestamp statement_timestamp clock_timestamp timeofday random gen_random_uuid nextval "
    "timezone date_trunc date_part extract age to_char to_date to_timestamp to_number concat concat_ws format "
    "array_to_string string_to_array json_build_object json_build_array jsonb_build_object jsonb_build_array "
    "to_json to_jsonb row_to_json array_to_json json_agg jsonb_agg json_object_agg jsonb_object_agg "
    "json_object_agg_strict jsonb_object_agg_strict json_agg_strict jsonb_agg_strict jsonb_set_lax "
    "generate_series to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_headline "
    "make_timestamptz date_bin date_add date_subtract date timestamp timestamptz time timetz text varchar bpchar "
    "interval xmlserialize jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_tz jsonb_path_query_array_tz "
    "jsonb_path_query_first_tz json_populate_record jsonb_populate_record json_to_record jsonb_to_record "
    "json_to_recordset jsonb_to_recordset overlaps in_range"
)
_ALLOWED = frozenset(_HARMLESS_NAMES.split())
# What has an expression, named as `Design.places` names it.
_TREES = """
SELECT format('column %%s.%%s', c.relname, a.attname) AS thing, d.adbin::text AS tree
  FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
  JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
 WHERE c.relnamespace = %(namespace)s
UNION ALL
SELECT format('constraint %%s.%%s', coalesce(c.relname, t.typname), o.conname), o.conbin::text
  FROM pg_constraint o LEFT JOIN pg_class c ON c.oid = o.conrelid LEFT JOIN pg_type t ON t.oid = o.contypid
 WHERE o.connamespace = %(namespace)s AND o.conbin IS NOT NULL
UNION ALL
SELECT format('index %%s', c.relname), coalesce(i.indexprs::text, '') || coalesce(i.indpred::text, '')
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE c.relnamespace = %(namespace)s AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
UNION ALL
SELECT format('view %%s', c.relname), r.ev_action::text FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
 WHERE c.relnamespace = %(namespace)s
UNION ALL
SELECT format('statistics %%s', s.stxname), s.stxexprs::text FROM pg_statistic_ext s
 WHERE s.stxnamespace = %(namespace)s AND s.stxexprs IS NOT NULL
UNION ALL
SELECT format('domain %%s', t.typname), t.typdefaultbin::text FROM pg_type t
 WHERE t.typnamespace = %(namespace)s AND t.typdefaultbin IS NOT NULL
UNION ALL
SELECT format('%%s %%s', CASE WHEN c.relispartition THEN 'partition' ELSE 'table' END, c.relname), p.partexprs::text
  FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
 WHERE c.relnamespace = %(namespace)s AND p.partexprs IS NOT NULL
"""
_CALLS = re.compile(r":(?:funcid|aggfnoid|winfnoid) (\d+)")
_OPERATORS = re.compile(r":opfuncid (\d+)")
_RELATIONS = re.compile(r":relid (\d+)")
_FUNCTIONS = """
SELECT p.oid, p.proname AS name, p.pronamespace = 'pg_catalog'::regnamespace AS built_in,
       p.provolatile = 'i' AS immutable
  FROM pg_proc p WHERE p.oid = ANY(%(oids)s)
"""
_STRANGERS = """
SELECT c.oid FROM pg_class c WHERE c.oid = ANY(%(oids)s) AND c.relnamespace <> %(namespace)s
"""
# Defaults that name a sequence or table by a constant, such as nextval('elsewhere.numbers').
_NAMED_ELSEWHERE = """
SELECT DISTINCT format('column %%s.%%s', c.relname, a.attname)
  FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid AND c.relnamespace = %(namespace)s
  JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
  JOIN pg_class r ON r.oid = p.refobjid
 WHERE r.relnamespace <> %(namespace)s
"""


class ExpressionForbidden(ValidationFailed):
    """An expression calls or reads what schemas of workspaces may not."""

    code = "expression_forbidden"
    title = "An expression calls or reads what it may not"


async def check_expressions(
    connection: AsyncConnection[Any], namespace: str, places: Mapping[str, str] | None = None
) -> None:
    """Raise ExpressionForbidden unless every expression in the schema keeps to itself.

    Its violations are all there are; `places` gives the JSON pointers of things.
    """
    forbidden = [(thing, what) async for thing, what in _forbidden(connection, namespace)]
    if forbidden:
        violations = [
            Violation((places or {}).get(thing, ""), f"{thing}: {what}", "expression_forbidden")
            for thing, what in dict.fromkeys(forbidden)
        ]
        raise ExpressionForbidden(f"{violations[0].message}.", violations=violations)


async def _forbidden(connection: AsyncConnection[Any], namespace: str) -> AsyncIterator[tuple[str, str]]:
    """Things and what their expressions do that they may not."""
    found = await _rows(connection, "SELECT %(name)s::regnamespace::oid", name='"' + namespace + '"')
    oid = found[0][0]
    calls: dict[int, list[str]] = defaultdict(list)
    operators: dict[int, list[str]] = defaultdict(list)
    relations: dict[int, list[str]] = defaultdict(list)
    for thing, tree in await _rows(connection, _TREES, namespace=oid):
        for pattern, kept in ((_CALLS, calls), (_OPERATORS, operators), (_RELATIONS, relations)):
            for number in pattern.findall(tree):
                kept[int(number)].append(thing)
    for number, name, built_in, immutable in await _rows(connection, _FUNCTIONS, oids=[*calls, *operators]):
        if not built_in or (number in calls and not _harmless(name, immutable=immutable)):
            for thing in calls.get(number) or operators[number]:
                yield thing, Text("the function {name} is not allowed in schemas", name=name)
    for (number,) in await _rows(connection, _STRANGERS, oids=list(relations), namespace=oid):
        for thing in relations[number]:
            yield thing, Text("it reads a table outside of the schema")
    for (thing,) in await _rows(connection, _NAMED_ELSEWHERE, namespace=oid):
        yield thing, Text("it names something outside of the schema")


# By name only: those of which no form is immutable, or of which one is volatile; stable forms of others (to_tsvector,
# length) are harmless. The forms that are called are judged once PostgreSQL has read the text.
_NOT_IMMUTABLE = """
SELECT p.proname FROM pg_proc p
 WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY(%(names)s)
 GROUP BY p.proname HAVING bool_or(p.provolatile = 'v') OR NOT bool_or(p.provolatile = 'i')
"""


async def forbidden_calls(connection: AsyncConnection[Any], names: Iterable[str]) -> set[str]:
    """Which of these functions schemas may not call, whatever they are given; for texts that are not run yet."""
    asked = set(names)
    changing = {name for (name,) in await _rows(connection, _NOT_IMMUTABLE, names=sorted(asked))}
    return {name for name in asked if not _harmless(name, immutable=name not in changing)}


def _harmless(name: str, *, immutable: bool) -> bool:
    return name in _ALLOWED or (immutable and not name.startswith(("pg_", "lo_", "has_")))


async def _rows(connection: AsyncConnection[Any], query: str, **values: object) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query, values)).fetchall()
