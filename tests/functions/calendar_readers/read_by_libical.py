"""Reads an iCalendar object from standard input with libical; prints each event's start and end as seconds since 1970.

The argument is the library's file.
"""

import ctypes
import json
import sys


class Time(ctypes.Structure):
    """`struct icaltimetype` of libical 3."""

    _fields_ = [
        *((name, ctypes.c_int) for name in ("year", "month", "day", "hour", "minute", "second", "is_date", "daylight")),
        ("zone", ctypes.c_void_p),
    ]


def read(library: ctypes.CDLL, calendar: bytes) -> dict[str, list[int]]:
    """The seconds by the events' UIDs."""
    signatures = {
        "icalparser_parse_string": (ctypes.c_void_p, [ctypes.c_char_p]),
        "icalcomponent_string_to_kind": (ctypes.c_int, [ctypes.c_char_p]),
        "icalcomponent_get_first_component": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
        "icalcomponent_get_next_component": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
        "icalcomponent_get_uid": (ctypes.c_char_p, [ctypes.c_void_p]),
        "icalcomponent_get_dtstart": (Time, [ctypes.c_void_p]),
        "icalcomponent_get_dtend": (Time, [ctypes.c_void_p]),
        "icaltime_as_timet_with_zone": (ctypes.c_int64, [Time, ctypes.c_void_p]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    root = library.icalparser_parse_string(calendar)
    kind = library.icalcomponent_string_to_kind(b"VEVENT")
    found = {}
    event = library.icalcomponent_get_first_component(root, kind)
    while event:
        times = library.icalcomponent_get_dtstart(event), library.icalcomponent_get_dtend(event)
        seconds = [library.icaltime_as_timet_with_zone(time, time.zone) for time in times]
        found[library.icalcomponent_get_uid(event).decode()] = seconds
        event = library.icalcomponent_get_next_component(root, kind)
    return found


if __name__ == "__main__":
    json.dump(read(ctypes.CDLL(sys.argv[1]), sys.stdin.buffer.read()), sys.stdout)
