"""Reads an iCalendar object from standard input with libical; prints the start and end of every occurrence.

Exceptions are put in place as Evolution does it: by the instant of their RECURRENCE-ID. Seconds since 1970, by UID. The
argument is the library's file.
"""

import ctypes
import json
import sys
from collections import defaultdict

from read_by_libical import Time


class Span(ctypes.Structure):
    """`struct icaltime_span` of libical 3."""

    _fields_ = [("start", ctypes.c_int64), ("end", ctypes.c_int64), ("is_busy", ctypes.c_int)]


Visit = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Span), ctypes.c_void_p)


def expand(library: ctypes.CDLL, calendar: bytes) -> dict[str, list[tuple[int, int]]]:
    """The occurrences of the events, by UID."""
    signatures = {
        "icalparser_parse_string": (ctypes.c_void_p, [ctypes.c_char_p]),
        "icalcomponent_string_to_kind": (ctypes.c_int, [ctypes.c_char_p]),
        "icalproperty_string_to_kind": (ctypes.c_int, [ctypes.c_char_p]),
        "icalcomponent_get_first_component": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
        "icalcomponent_get_next_component": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
        "icalcomponent_get_first_property": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
        "icalcomponent_get_uid": (ctypes.c_char_p, [ctypes.c_void_p]),
        "icalcomponent_get_dtstart": (Time, [ctypes.c_void_p]),
        "icalcomponent_get_dtend": (Time, [ctypes.c_void_p]),
        "icalcomponent_get_recurrenceid": (Time, [ctypes.c_void_p]),
        "icaltime_as_timet_with_zone": (ctypes.c_int64, [Time, ctypes.c_void_p]),
        "icaltime_from_string": (Time, [ctypes.c_char_p]),
        "icalcomponent_foreach_recurrence": (None, [ctypes.c_void_p, Time, Time, Visit, ctypes.c_void_p]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments

    def seconds(time: Time) -> int:
        return int(library.icaltime_as_timet_with_zone(time, time.zone))

    root = library.icalparser_parse_string(calendar)
    event_kind = library.icalcomponent_string_to_kind(b"VEVENT")
    exception_kind = library.icalproperty_string_to_kind(b"RECURRENCE-ID")
    begin, end = (library.icaltime_from_string(text) for text in (b"19750101T000000Z", b"21500101T000000Z"))
    found: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
    exceptions: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
    zones: dict[str, int] = {}
    event = library.icalcomponent_get_first_component(root, event_kind)
    while event:
        uid = library.icalcomponent_get_uid(event).decode()
        if library.icalcomponent_get_first_property(event, exception_kind):
            times = seconds(library.icalcomponent_get_dtstart(event)), seconds(library.icalcomponent_get_dtend(event))
            # libical takes the zone of this one property for unknown; it is that of the series, which comes before.
            replaced_time = library.icalcomponent_get_recurrenceid(event)
            exceptions[uid][library.icaltime_as_timet_with_zone(replaced_time, zones[uid])] = times
        else:
            spans, zones[uid] = found[uid], library.icalcomponent_get_dtstart(event).zone

            def visit(_event: object, span: "ctypes._Pointer[Span]", _data: object, spans: dict = spans) -> None:  # type: ignore[type-arg]  # of a program of its own
                spans[span.contents.start] = (span.contents.start, span.contents.end)

            library.icalcomponent_foreach_recurrence(event, begin, end, Visit(visit), None)
        event = library.icalcomponent_get_next_component(root, event_kind)
    for uid, replaced in exceptions.items():
        assert replaced.keys() <= found[uid].keys(), f"an exception of {uid} names no occurrence"
    return {uid: sorted((spans | exceptions[uid]).values()) for uid, spans in found.items()}


if __name__ == "__main__":
    json.dump(expand(ctypes.CDLL(sys.argv[1]), sys.stdin.buffer.read()), sys.stdout)
