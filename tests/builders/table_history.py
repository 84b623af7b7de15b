"""Histories of a keyed table whose schema and rows change together, beside the model of `table_model`."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.builders.table_model import KEY, Model
from tests.builders.tables import version
from versioned_tables.format.manifest import Manifest
from versioned_tables.schema.columns import make_schema
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.operations import RowOperation, apply_operations, change_schema

NAMES = ("a", "b", "c")
VALUES = {"int": (1, 2, 3), "float": (0.5, 2.0, 1e20), "string": ("x", "2", "")}
WIDER = {"int": ("float", "string"), "float": (), "string": ()}
ROWS = [{"k": key, "a": key % 3 + 1, "b": f"{key}"} for key in range(1, 9)]

State = tuple[Model, Manifest]


def beginning(tables: TableStore) -> State:
    """The version that histories begin with."""
    schema = make_schema([("k", "int"), ("a", "int"), ("b", "string")], ["k"])
    model = Model().add("a", "int").add("b", "string")
    for row in ROWS:
        model = model.put(row["k"], {"a": row["a"], "b": row["b"]})  # type: ignore[arg-type]  # rows of two types
    return model, version(tables, ROWS, schema)


def step(data: st.DataObject, tables: TableStore, at: State) -> State:
    """One commit: schema, then rows, or either."""
    model, manifest = at
    for _ in range(data.draw(st.integers(0, 2), label="schema changes")):
        model, manifest = schema_step(data, tables, (model, manifest))
    return _row_step(data, tables, (model, manifest)) if data.draw(st.booleans(), label="rows") else (model, manifest)


def schema_step(data: st.DataObject, tables: TableStore, at: State) -> State:
    """One change of the columns, or none where a type cannot be wider."""
    model, manifest = at
    free = [name for name in NAMES if name not in model.names]
    taken = [name for name in NAMES if name in model.names]
    kinds = [*(["add"] * bool(free)), *(["drop", "retype"] * bool(taken)), *(["rename"] * bool(free and taken))]
    kind = data.draw(st.sampled_from(kinds), label="kind")
    if kind == "add":
        name, type_ = data.draw(st.sampled_from(free)), data.draw(st.sampled_from(sorted(VALUES)))
        return model.add(name, type_), change_schema(tables, manifest, add=[(name, type_)])
    name = data.draw(st.sampled_from(taken), label="column")
    if kind == "drop":
        return model.drop(name), change_schema(tables, manifest, drop=[name])
    if kind == "rename":
        new = data.draw(st.sampled_from(free), label="new name")
        return model.rename(name, new), change_schema(tables, manifest, renames={name: new})
    wider = WIDER[model.columns[model.of_name(name)][1]]
    if not wider:
        return at
    type_ = data.draw(st.sampled_from(wider), label="type")
    return model.retype(name, type_), change_schema(tables, manifest, types={name: type_})


def _row_step(data: st.DataObject, tables: TableStore, at: State) -> State:
    model, manifest = at
    operations = []
    for key in data.draw(st.lists(st.integers(1, 11), min_size=1, max_size=4, unique=True), label="keys"):
        if key in model.rows and data.draw(st.integers(0, 3)) == 0:
            model = model.delete(key)
            operations.append(RowOperation("delete", {"k": key}))
            continue
        values = {}
        for item, (name, type_) in model.columns.items():
            if item != KEY and data.draw(st.booleans()):
                values[name] = data.draw(st.sampled_from((None, *VALUES[type_])))
        if key in model.rows:
            operations.append(RowOperation("update", {"k": key}, values))
        else:
            operations.append(RowOperation("insert", {}, {"k": key, **values}))
        model = model.put(key, values)
    return model, apply_operations(tables, manifest, operations)


def line(data: st.DataObject, tables: TableStore, at: State) -> list[State]:
    """Up to three commits after a version, and the version."""
    states = [at]
    for _ in range(data.draw(st.integers(1, 3), label="commits")):
        states.append(step(data, tables, states[-1]))
    return states
