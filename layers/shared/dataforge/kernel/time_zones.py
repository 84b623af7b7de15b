"""Names of time zones, as people may choose them."""

from functools import cache
from zoneinfo import available_timezones

# What a machine is set to, and what one is that nobody has set up: no zone of anybody.
_OF_MACHINES = frozenset({"localtime", "posixrules", "Factory"})


@cache
def time_zone_names() -> frozenset[str]:
    """The names of the IANA time zone database that mean the same on every machine."""
    return frozenset(available_timezones() - _OF_MACHINES)
