"""A schema as a document of the target format."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from dataforge.contexts.schemas.designs.domain.model import (
    Column,
    Constraint,
    Counter,
    Index,
    Named,
    Partition,
    Schema,
    Table,
    ViewColumn,
)
from dataforge.contexts.schemas.designs.domain.names import split_list

_ACTIONS = {"r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_NAME = r'(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)'
_KEY_OF_PARTITION = re.compile(rf"(?P<column>{_NAME})(?: COLLATE (?P<collation>{_NAME}))?(?: (?P<opclass>{_NAME}))?")
_PARTITIONED = re.compile(r"(?P<strategy>RANGE|LIST|HASH) \((?P<keys>.*)\)", re.DOTALL)
Document = dict[str, Any]


def to_document(schema: Schema, namespace: str, named: Iterable[Named] = ()) -> Document:
    """The document that describes a schema read from the catalog; stable ids are those of the deployed document."""
    ids = {(item.kind, *item.path, item.name): item.stable_id for item in named if item.stable_id is not None}
    document: Document = {
        "version": 1,
        "namespace": namespace,
        "enums": [
            _some(id=ids.get(("enum", item.name)), name=item.name, values=list(item.values), comment=item.comment)
            for item in schema.enums.values()
        ],
        "domains": [
            _some(
                id=ids.get(("domain", item.name)),
                name=item.name,
                dataType=item.type,
                nullable=None if item.nullable else False,
                default=None if item.default is None else {"expr": item.default},
                collation=item.collation,
                checks=[_check(check) for check in item.constraints.values()] or None,
                comment=item.comment,
            )
            for item in schema.domains.values()
        ],
        "composites": [
            _some(
                id=ids.get(("composite", item.name)),
                name=item.name,
                attributes=[
                    _some(name=part.name, dataType=part.type, collation=part.collation, comment=part.comment)
                    for part in item.attributes.values()
                ],
                comment=item.comment,
            )
            for item in schema.composites.values()
        ],
        "ranges": [
            _some(
                id=ids.get(("range", item.name)),
                name=item.name,
                subtype=item.subtype,
                opclass=item.opclass,
                collation=item.collation,
                subtypeDiff=item.difference,
                multirange=item.multirange,
                comment=item.comment,
            )
            for item in schema.ranges.values()
        ],
        "sequences": [
            _some(
                id=ids.get(("sequence", item.name)),
                name=item.name,
                dataType=item.type,
                **_counting(item.counter),
                unlogged=item.unlogged or None,
                ownedBy=None if item.owner is None else {"table": item.owner[0], "column": item.owner[1]},
                comment=item.comment,
            )
            for item in schema.sequences.values()
        ],
        "tables": [_table(item, schema, ids) for item in schema.tables.values()],
        "relationships": [
            _relationship(table.name, item)
            for table in (*schema.tables.values(), *(part.own for part in schema.partitions.values()))
            for item in table.constraints.values()
            if item.kind == "f"
        ],
        "views": [
            _some(
                id=ids.get(("view", item.name)),
                name=item.name,
                query=item.query,
                materialized=item.materialized or None,
                options=_options(item.options),
                columns=[_view_column(column) for column in item.columns.values()] or None,
                indexes=[_index(index) for index in item.indexes.values()] or None,
                comment=item.comment,
            )
            for item in schema.views.values()
        ],
        "statistics": [
            _some(
                name=item.name,
                table=item.table,
                columns=list(item.detail["columns"]) or None,
                expressions=list(item.detail["expressions"]) or None,
                kinds=list(item.detail["kinds"]) or None,
                target=item.target,
                comment=item.comment,
            )
            for item in schema.statistics.values()
        ],
    }
    return {key: value for key, value in document.items() if value not in ([], None)}


def _some(**members: Any) -> Document:  # noqa: ANN401 - members of any kind
    return {key: value for key, value in members.items() if value is not None}


def _counting(counter: Counter) -> Document:
    names = ("start", "increment", "minimum", "maximum", "cache", "cycle")
    return {name: getattr(counter, name) for name in names}


def _options(options: tuple[str, ...]) -> Document | None:
    found: Document = {}
    for option in options:
        key, _, value = option.partition("=")
        found[key] = value == "true" if value in ("true", "false") else _number_or_word(value)
    return found or None


def _number_or_word(value: str) -> int | float | str:
    for kind in (int, float):
        try:
            if str(kind(value)) == value:
                return kind(value)
        except ValueError:
            continue
    return value


def _table(table: Table, schema: Schema, ids: Mapping[tuple[str, ...], str]) -> Document:
    return _some(
        id=ids.get(("table", table.name)),
        name=table.name,
        columns=[_column(column, ids.get(("column", table.name, column.name))) for column in table.columns.values()],
        **_held(table),
        partitionBy=None if table.partition_by is None else _partition_key(table.partition_by),
        partitions=_partitions(table.name, schema.partitions, ids) or None,
        replicaIdentity=_replica_identity(table),
    )


def _held(table: Table) -> Document:
    """What a table has beside its columns; a partition has the same of its own."""
    kinds = {kind: [item for item in table.constraints.values() if item.kind == kind] for kind in "pucx"}
    return _some(
        primaryKey=next(map(_primary_key, kinds["p"]), None),
        uniques=[_unique(item) for item in kinds["u"]] or None,
        checks=[_check(item) for item in kinds["c"]] or None,
        exclusions=[_some(name=item.name, definition=item.definition, comment=item.comment) for item in kinds["x"]]
        or None,
        indexes=[_index(index) for index in table.indexes.values()] or None,
        comment=table.comment,
        options=_options(table.options),
        unlogged=table.unlogged or None,
    )


def _primary_key(key: Constraint) -> Document:
    return _some(
        name=key.name,
        columns=list(key.columns),
        include=key.detail["included"],
        **_deferring(key),
        options=_options(key.options),
        comment=key.comment,
    )


def _view_column(column: ViewColumn) -> Document:
    return _some(
        name=column.name,
        default=None if column.default is None else {"expr": column.default},
        comment=column.comment,
        statistics=column.statistics,
    )


def _column(column: Column, stable_id: str | None) -> Document:
    identity = None
    if column.identity is not None:
        kind = "always" if column.identity == "ALWAYS" else "byDefault"
        identity = _some(kind=kind, **_counting(column.counter))
    return _some(
        id=stable_id,
        name=column.name,
        dataType=column.type,
        nullable=column.nullable,
        default=None if column.default is None else {"expr": column.default},
        identity=identity,
        generated=None if column.generated is None else {"expr": column.generated},
        collation=column.collation,
        comment=column.comment,
        storage=None if column.storage is None else column.storage.lower(),
        compression=column.compression,
        statistics=column.statistics,
        options=_options(column.settings),
    )


def _unique(item: Constraint) -> Document:
    return _some(
        name=item.name,
        columns=list(item.columns),
        nullsDistinct=False if item.detail["nulls_not_distinct"] else None,
        include=item.detail["included"],
        **_deferring(item),
        options=_options(item.options),
        comment=item.comment,
    )


def _deferring(item: Constraint) -> Document:
    return {"deferrable": item.detail["deferrable"] or None, "initiallyDeferred": item.detail["deferred"] or None}


def _check(item: Constraint) -> Document:
    inner = item.definition.removesuffix(" NOT VALID").removesuffix(" NO INHERIT")
    expression = inner.removeprefix("CHECK (").removesuffix(")")
    return _some(
        name=item.name,
        expr=expression,
        noInherit=item.detail["no_inherit"] or None,
        notValid=item.unchecked or None,
        comment=item.comment,
    )


def _relationship(table: str, item: Constraint) -> Document:
    detail = item.detail
    return _some(
        name=item.name,
        fk={"table": table, "columns": list(item.columns)},
        references={"table": item.references, "columns": list(item.reference_columns)},
        onDelete=_ACTIONS.get(detail["on_delete"]),
        onUpdate=_ACTIONS.get(detail["on_update"]),
        onDeleteColumns=list(detail["delete_columns"]) if detail["delete_columns"] else None,
        match="full" if detail["match"] == "f" else None,
        **_deferring(item),
        notValid=item.unchecked or None,
        comment=item.comment,
    )


def _index(index: Index) -> Document:
    detail = index.detail
    targets = {number: int(target) for number, target in (item.split("=") for item in index.statistics)}
    keys = [
        _key(key) | _some(statistics=targets.get(str(number)))
        for number, key in enumerate(detail["keys"], 1)
        if not key["included"]
    ]
    return _some(
        name=index.name,
        method=detail["method"],
        unique=index.unique or None,
        keys=keys,
        include=[key["column"] for key in detail["keys"] if key["included"]] or None,
        where=detail["predicate"],
        options=_options(index.options),
        nullsDistinct=False if detail["nulls_not_distinct"] else None,
        comment=index.comment,
    )


def _key(key: Mapping[str, Any]) -> Document:
    option = key["option"] or 0
    descending, first = bool(option & 1), bool(option & 2)
    return _some(
        column=key["column"],
        expr=None if key["plain"] else key["text"],
        opclass=key["opclass"],
        opclassOptions=_options(tuple(key["opclass_options"] or ())),
        collation=key["collation"],
        order="desc" if descending else None,
        nulls=None if descending == first else "first" if first else "last",
    )


def _replica_identity(table: Table) -> Document | str | None:
    given = table.replica_identity
    if given is None or not given.startswith("USING INDEX "):
        return None if given is None else given.lower()
    return {"index": given.removeprefix("USING INDEX ")[1:-1].replace('""', '"')}


def _partition_key(text: str) -> Document:
    found = _PARTITIONED.fullmatch(text)
    if found is None:
        return {"strategy": "range", "keys": [{"expr": text}]}
    keys = [_part_of_key(key) for key in split_list(found["keys"])]
    names = [key["column"] for key in keys if set(key) == {"column"}]
    members = {"columns": names} if len(names) == len(keys) else {"keys": keys}
    return {"strategy": found["strategy"].lower(), **members}


def _part_of_key(text: str) -> Document:
    """A column or an expression, each with its collation and operator class, as PostgreSQL prints them."""
    found = _KEY_OF_PARTITION.fullmatch(text)
    if found is None:
        return {"expr": text}
    return _some(**{name: _unquoted(value) for name, value in found.groupdict().items() if value is not None})


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _partitions(parent: str, partitions: Mapping[str, Partition], ids: Mapping[tuple[str, ...], str]) -> list[Document]:
    return [
        _some(
            id=ids.get(("partition", item.name)),
            name=item.name,
            bound=item.bound,
            partitionBy=None if item.partition_by is None else _partition_key(item.partition_by),
            partitions=_partitions(item.name, partitions, ids) or None,
            **_held(item.own),
        )
        for item in partitions.values()
        if item.parent == parent
    ]
