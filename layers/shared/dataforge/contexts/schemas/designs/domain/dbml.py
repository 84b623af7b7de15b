"""A schema in DBML (dbml.dbdiagram.io/docs), and what DBML has no words for."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields

from dataforge.contexts.schemas.designs.domain.cards import short_type
from dataforge.contexts.schemas.designs.domain.marks import NO_MARKS, Mark, Marks, State
from dataforge.contexts.schemas.designs.domain.model import Column, Constraint, EnumType, Index, Schema, Table
from dataforge.contexts.schemas.designs.domain.names import generated_name, quoted

_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_TYPE = re.compile(r"[A-Za-z_]\w*(?:\(\d+(?:,\s?-?\d+)?\))?", re.ASCII)
_ACTION = re.compile(r" ON (?P<what>UPDATE|DELETE) (?P<how>NO ACTION|RESTRICT|CASCADE|SET NULL|SET DEFAULT)")
_NAME = r"(?:\"(?:[^\"]|\"\")+\"|[a-z_][a-z0-9_$]*)"
_PLAIN_INDEX = re.compile(rf"USING (?P<method>\w+) \((?P<keys>{_NAME}(?:, {_NAME})*)\)")
_LINE_ENDS = re.compile(r"[\r\n]+")
_PAINTS = {State.ADDED: "#1f8a4c", State.CHANGED: "#b87400", State.DROPPED: "#b3261e"}


def write_dbml(schema: Schema, marks: Marks = NO_MARKS) -> str:
    """The text; what is marked has a comment, and what DBML cannot say is listed in comments at the end."""
    lines: list[str] = []
    for enum in schema.enums.values():
        lines += [*_enum(enum, marks), ""]
    for table in schema.tables.values():
        lines += [*_table(table, marks), ""]
    for table in schema.tables.values():
        lines += [
            _reference(table, item, marks.get(("constraint", table.name, item.name)))
            for item in table.constraints.values()
            if item.kind == "f"
        ]
    lines += [f"// not in DBML: {' '.join(words.split())}" for words in beyond_dbml(schema)]
    return "\n".join(lines).rstrip("\n") + "\n"


def beyond_dbml(schema: Schema) -> Iterator[str]:
    """What of a schema is lost in DBML, in words."""
    for kind in fields(schema):
        if kind.name not in ("enums", "tables"):
            word = kind.name if kind.name == "statistics" else kind.name.removesuffix("s")
            yield from (f"{word} {name}" for name in getattr(schema, kind.name))
    yield from (f"the comment of enum {enum.name}" for enum in schema.enums.values() if enum.comment is not None)
    for table in schema.tables.values():
        yield from _lost_of_table(table)


def _lost_of_table(table: Table) -> Iterator[str]:
    for given, words in (
        (table.options, f"options ({', '.join(table.options)})"),
        (table.unlogged, "unlogged"),
        (table.partition_by is not None, f"partition by {table.partition_by}"),
    ):
        if given:
            yield f"table {table.name}: {words}"
    for column in table.columns.values():
        yield from (f"column {table.name}.{column.name}: {words}" for words in _lost_of_column(column))
    for item in table.constraints.values():
        yield from (f"constraint {table.name}.{item.name}: {words}" for words in _lost_of_constraint(item))
    for index in table.indexes.values():
        if _keys_of(index) is None:
            yield f"index {index.name}: {index.definition}"
        elif index.comment is not None:
            yield f"the comment of index {index.name}"


def _lost_of_column(column: Column) -> Iterator[str]:
    if "\n" in column.name:
        yield "the lines in its name"
    if column.generated is not None:
        yield f"computed as {column.generated}"
    if column.identity == "ALWAYS":
        yield "generated always as identity"
    if column.collation is not None:
        yield f"collation {column.collation}"
    if column.default is not None and "`" in column.default:
        yield f"default {column.default}"


def _lost_of_constraint(item: Constraint) -> Iterator[str]:
    if item.kind == "x" or (item.kind == "c" and "`" in item.definition):
        yield item.definition
    elif item.kind == "c" and not item.definition.endswith(")"):
        yield item.definition.rpartition(")")[2].strip().lower()
    elif item.kind in "puf":
        for words in ("MATCH FULL", "DEFERRABLE", "INITIALLY DEFERRED", "NULLS NOT DISTINCT", "INCLUDE", "NOT VALID"):
            if re.search(rf"\b{words}\b", _outside_quotes(item.definition)):
                yield words.lower()
        if re.search(r"ON DELETE SET (?:NULL|DEFAULT) \(", _outside_quotes(item.definition)):
            yield "the columns that are set on delete"
    if item.comment is not None:
        yield "its comment"


def _outside_quotes(sql: str) -> str:
    return re.sub(r"\"(?:[^\"]|\"\")*\"", '""', sql)


def _enum(enum: EnumType, marks: Marks) -> Iterator[str]:
    yield from _marked(marks.get(("enum", enum.name)))
    yield f"Enum {name_in_dbml(enum.name)} {{"
    for value in enum.values:
        yield from _marked(marks.get(("value", enum.name, value)), "  ")
        yield f"  {name_in_dbml(value)}"
    yield "}"


def _table(table: Table, marks: Marks) -> Iterator[str]:
    mark = marks.get(("table", table.name))
    yield from _marked(mark)
    paint = "" if mark is None else f" [headercolor: {_PAINTS[mark.state]}]"
    yield f"Table {name_in_dbml(table.name)}{paint} {{"
    alone = _alone(table)
    for column in table.columns.values():
        yield from _marked(marks.get(("column", table.name, column.name)), "  ")
        yield f"  {_column(column, alone.get(column.name, ()))}"
    indexes = list(_index_lines(table, marks))
    if indexes:
        yield from ("", "  indexes {", *(f"    {line}" for line in indexes), "  }")
    checks = [item for item in table.constraints.values() if item.kind == "c" and "`" not in item.definition]
    if checks:
        yield from ("", "  checks {")
        for item in checks:
            yield from _marked(marks.get(("constraint", table.name, item.name)), "    ")
            yield f"    `{_expression(item)}` [name: {text_in_dbml(item.name)}]"
        yield "  }"
    if table.comment is not None:
        yield from ("", f"  Note: {text_in_dbml(table.comment)}")
    yield "}"


def _expression(item: Constraint) -> str:
    inner = item.definition.removesuffix(" NOT VALID").removesuffix(" NO INHERIT")
    return " ".join(inner.removeprefix("CHECK (").removesuffix(")").split())


def _alone(table: Table) -> Mapping[str, list[str]]:
    """Settings of columns for keys that have one column and the name that PostgreSQL gives."""
    settings: dict[str, list[str]] = {}
    for item in table.constraints.values():
        if len(item.columns) != 1 or item.kind not in "pu":
            continue
        if item.kind == "p" and item.name == generated_name(table.name, "pkey"):
            settings.setdefault(item.columns[0], []).append("pk")
        elif item.kind == "u" and item.name == generated_name(table.name, item.columns[0], "key"):
            settings.setdefault(item.columns[0], []).append("unique")
    return settings


def _column(column: Column, keys: Iterable[str]) -> str:
    settings = list(dict.fromkeys(keys))
    settings += ["increment"] if column.identity is not None else []
    settings += [] if column.nullable or "pk" in settings or column.identity is not None else ["not null"]
    if column.default is not None and "`" not in column.default:
        settings.append(f"default: `{_LINE_ENDS.sub(' ', column.default)}`")
    settings += [f"note: {text_in_dbml(column.comment)}"] if column.comment is not None else []
    tail = f" [{', '.join(settings)}]" if settings else ""
    return f"{name_in_dbml(column.name)} {_type(column)}{tail}"


def _type(column: Column) -> str:
    text = short_type(column.type)
    if column.user_type is not None:
        arrays = "[]" * column.type.count("[]")
        plain = column.user_type if re.fullmatch(r"[\w ]+", column.user_type) else quoted(column.user_type)
        text = plain + arrays
    return text if _TYPE.fullmatch(text) else _in_quotes(text)


def _index_lines(table: Table, marks: Marks) -> Iterator[str]:
    alone = _alone(table)
    for item in table.constraints.values():
        word = {"p": "pk", "u": "unique"}.get(item.kind)
        if word is None or (len(item.columns) == 1 and word in alone.get(item.columns[0], ())):
            continue
        yield from _marked(marks.get(("constraint", table.name, item.name)))
        yield f"({', '.join(map(name_in_dbml, item.columns))}) [{word}, name: {text_in_dbml(item.name)}]"
    for index in table.indexes.values():
        keys = _keys_of(index)
        if keys is None:
            continue
        yield from _marked(marks.get(("index", table.name, index.name)))
        method, columns = keys
        unique = "unique, " if index.unique else ""
        yield f"({', '.join(columns)}) [{unique}type: {method}, name: {text_in_dbml(index.name)}]"


def _keys_of(index: Index) -> tuple[str, list[str]] | None:
    """The method and the columns of an index that has nothing else; None for others."""
    plain = _PLAIN_INDEX.fullmatch(index.definition)
    if plain is None or index.computed:
        return None
    names = re.findall(_NAME, plain["keys"])
    columns = [name[1:-1].replace('""', '"') if name.startswith('"') else name for name in names]
    return plain["method"], [name_in_dbml(name) for name in columns]


def _reference(table: Table, item: Constraint, mark: Mark | None) -> str:
    unique = {tuple(sorted(key.columns)) for key in table.constraints.values() if key.kind in "pu"}
    arrow = "-" if tuple(sorted(item.columns)) in unique else ">"
    here, there = _end(table.name, item.columns), _end(item.references or "", item.reference_columns)
    actions = [f"{found['what'].lower()}: {found['how'].lower()}" for found in _ACTION.finditer(item.definition)]
    settings = f" [{', '.join(actions)}]" if actions else ""
    comment = "".join(f"{line}\n" for line in _marked(mark))
    return f"{comment}Ref {name_in_dbml(item.name)}: {here} {arrow} {there}{settings}"


def _end(table: str, columns: Sequence[str]) -> str:
    names = ", ".join(map(name_in_dbml, columns))
    return f"{name_in_dbml(table)}.{names if len(columns) == 1 else f'({names})'}"


def _marked(mark: Mark | None, indent: str = "") -> Iterator[str]:
    if mark is not None:
        yield f"{indent}// {' '.join(f'{mark.state} {mark.words}'.split())}"


def name_in_dbml(name: str) -> str:
    """A name, in quotes if it needs them."""
    return name if _WORD.fullmatch(name) else _in_quotes(name)


def _in_quotes(text: str) -> str:
    # No quoted name of DBML goes over a line.
    return '"' + _LINE_ENDS.sub(" ", text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def text_in_dbml(text: str) -> str:
    """A text as a literal of one line, or between triple quotes."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'''{escaped}'''" if _LINE_ENDS.search(text) else f"'{escaped}'"
