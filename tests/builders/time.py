"""The instant tests happen at."""

from datetime import UTC, datetime

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
