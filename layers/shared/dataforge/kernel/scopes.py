"""What a personal access token may be used for: scopes, each an area of the product and whether it is only read."""

from collections.abc import Iterable

from dataforge.kernel.access import Area

AREAS = tuple(area.value for area in Area)
EVERYTHING, EVERYTHING_READ = "all", "all:read"
CALENDAR = "calendar"
"""The scope of a calendar's address: one file, and nothing else."""
SCOPES = (
    EVERYTHING,
    EVERYTHING_READ,
    *(f"{area}:{access}" for area in AREAS for access in ("read", "write")),
    CALENDAR,
)


def allows(granted: Iterable[str], needed: str) -> bool:
    """Whether one of the granted scopes covers the needed one: writing includes reading, `all` everything."""
    area, _, access = needed.partition(":")
    covering = {needed, EVERYTHING}
    if access == "read":
        covering |= {f"{area}:write", EVERYTHING_READ}
    return not covering.isdisjoint(granted)
