"""SQL over a version: one read-only SELECT in DuckDB, over the commit's tables and nothing else."""

from dataforge.contexts.datasets.sql.running import SqlCaps, SqlResult, run_sql

__all__ = ["SqlCaps", "SqlResult", "run_sql"]
