#!/usr/bin/env bash
# duckdb 2.0.0: connection.sql() tells an unknown table without the line and the caret that connection.execute() gives.
# Guess: both ways to run one statement bind it with the same binder and therefore raise the same message, with
#   "LINE 2: … ^" below it, from which an editor can mark the place.
# Seen: execute() has the line and the caret, sql() has neither.
# Source: duckdb Python client, DuckDBPyConnection::RunQuery (binds a relation) beside ::Execute (prepares a statement).
# What we do: statements run through execute().
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.0
"$folder/venv/bin/python" - <<'PY'
import duckdb

connection = duckdb.connect()
connection.execute("CREATE TABLE students (id int)")
statement = "SELECT 1 AS one\nFROM studnets\nWHERE id = 2"
messages = {}
for name in ("execute", "sql"):
    try:
        getattr(connection, name)(statement)
    except duckdb.CatalogException as error:
        messages[name] = str(error)

print("duckdb", duckdb.__version__)
for name, message in messages.items():
    print(f"{name}(): {message!r}")
assert "LINE 2: FROM studnets" in messages["execute"]
assert "LINE" not in messages["sql"]
PY
