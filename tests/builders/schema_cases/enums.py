"""Enums and their labels."""

from tests.builders.schema_cases.case import MOOD, A, Case, people, tables
from tests.builders.schemas import column

CASES: dict[str, Case] = {
    "a label": Case(
        tables(people(A, column("m", "mood")), enums=[MOOD]),
        tables(people(A, column("m", "mood")), enums=[MOOD | {"values": ["sad", "it's", "ok"]}]),
        {"add enum values"},
        "INSERT INTO people (m) VALUES ('ok')",
        ("SELECT m::text FROM people", [("ok",)]),
    ),
    "a label used at once": Case(
        tables(people(A, column("m", "mood", default="ok")), enums=[MOOD]),
        tables(people(A, column("m", "mood", default="new")), enums=[MOOD | {"values": ["sad", "ok", "new"]}]),
        {"add enum values", "set default"},
        "INSERT INTO people (m) VALUES ('ok')",
        ("SELECT m::text FROM people", [("ok",)]),
    ),
    "another name of a label": Case(
        tables(people(A, column("m", "mood")), enums=[MOOD]),
        tables(
            people(A, column("m", "mood")), enums=[MOOD | {"values": ["sad", {"name": "fine", "previousName": "ok"}]}]
        ),
        {"rename value"},
        "INSERT INTO people (m) VALUES ('ok')",
        ("SELECT m::text FROM people", [("fine",)]),
    ),
    "a label less, with where its rows go": Case(
        tables(people(A, column("m", "mood")), enums=[MOOD]),
        tables(people(A, column("m", "mood")), enums=[MOOD | {"values": ["sad"], "valueMap": {"ok": "sad"}}]),
        {"rebuild enum"},
        "INSERT INTO people (m) VALUES ('ok')",
        ("SELECT m::text FROM people", [("sad",)]),
        {"enum mood"},
    ),
    "a label less of an enum in a key": Case(
        tables({"name": "k", "columns": [column("m", "mood", primaryKey=True)]}, enums=[MOOD]),
        tables(
            {"name": "k", "columns": [column("m", "mood", primaryKey=True)]},
            enums=[MOOD | {"values": ["sad"], "valueMap": {"ok": "sad"}}],
        ),
        {"rebuild enum"},
        "INSERT INTO k VALUES ('ok')",
        ("SELECT m::text FROM k", [("sad",)]),
        {"enum mood"},
    ),
}
