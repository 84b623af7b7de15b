"""The laptop cloud: PostgreSQL, an AWS emulator and the deployed template, started by ``python -m infra.local``."""
