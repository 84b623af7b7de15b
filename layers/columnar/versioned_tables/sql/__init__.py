"""SQL over a version: one read-only SELECT in DuckDB, over the commit's tables and nothing else.

The function itself never runs the engine. `process` keeps a process that has DuckDB loaded; it forks one child per
statement, which `statement` runs in, and which is killed at the deadline, whatever it is doing. `running` is the
function's side: it sends the statement, hands out rows as the child asks for them, and takes the answer.
"""
