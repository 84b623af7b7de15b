"""Three independent readers of iCalendar objects, and what they take the events' times for."""

import json
import subprocess
import sys
from collections.abc import Callable

from icalendar import Calendar

from infra.local.environments import ENVIRONMENTS
from infra.local.libical import libical, library_path
from infra.local.npm import CALENDAR_READERS, calendar_readers

Occurrences = list[tuple[int, int]]
"""Start and end of every occurrence of all events in order, in seconds since 1970."""
Seconds = dict[str, tuple[int, int]]
"""Start and end of each event by its UID, in seconds since 1970."""


def under_other_names(calendar: bytes) -> bytes:
    """The calendar with names of time zones that no reader knows: each has to go by the rules that it is given."""
    return calendar.replace(b"TZID:", b"TZID:Of ").replace(b"TZID=", b"TZID=Of ")


def read_by_icalendar(calendar: bytes) -> Seconds:
    """What the library icalendar reads, and dateutil's rules."""
    events = Calendar.from_ical(calendar).events
    return {
        str(event["UID"]): (int(event["DTSTART"].dt.timestamp()), int(event["DTEND"].dt.timestamp()))
        for event in events
    }


def read_by_ical_js(calendar: bytes) -> Seconds:
    """What ical.js reads, which is Thunderbird's and Nextcloud's reader."""
    place = calendar_readers()
    script = place / "read_by_ical_js.mjs"
    script.write_bytes((CALENDAR_READERS / script.name).read_bytes())
    node = ENVIRONMENTS["node"][0] / "bin" / "node"
    return _read([str(node), str(script)], calendar, {})


def read_by_libical(calendar: bytes) -> Seconds:
    """What libical reads, which is Evolution's and KOrganizer's reader."""
    library = libical()
    script = CALENDAR_READERS / "read_by_libical.py"
    return _read([sys.executable, str(script), library], calendar, library_path(library))


def expand_by_ical_js(calendar: bytes) -> Occurrences:
    """Every occurrence that ical.js finds."""
    place = calendar_readers()
    script = place / "expand_by_ical_js.mjs"
    script.write_bytes((CALENDAR_READERS / script.name).read_bytes())
    node = ENVIRONMENTS["node"][0] / "bin" / "node"
    return _expanded([str(node), str(script)], calendar, {})


def expand_by_libical(calendar: bytes) -> Occurrences:
    """Every occurrence that libical finds."""
    library = libical()
    script = CALENDAR_READERS / "expand_by_libical.py"
    return _expanded([sys.executable, str(script), library], calendar, library_path(library))


EXPANDERS: tuple[Callable[[bytes], Occurrences], ...] = (expand_by_ical_js, expand_by_libical)
READERS: tuple[Callable[[bytes], Seconds], ...] = (read_by_icalendar, read_by_ical_js, read_by_libical)


def _read(command: list[str], calendar: bytes, environment: dict[str, str]) -> Seconds:
    done = subprocess.run(command, input=calendar, env=environment, capture_output=True, check=True)
    return {uid: (start, end) for uid, (start, end) in json.loads(done.stdout).items()}


def _expanded(command: list[str], calendar: bytes, environment: dict[str, str]) -> Occurrences:
    done = subprocess.run(command, input=calendar, env=environment, capture_output=True, check=True)
    return sorted((start, end) for times in json.loads(done.stdout).values() for start, end in times)
