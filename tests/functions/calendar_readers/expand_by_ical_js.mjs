// Reads an iCalendar object from standard input with ical.js; prints the start and end of every occurrence, exceptions
// taken into account, as seconds since 1970 by the events' UIDs.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
for (const zone of calendar.getAllSubcomponents("vtimezone")) {
  const timezone = new ICAL.Timezone(zone);
  ICAL.TimezoneService.register(timezone, timezone.tzid);
}
const events = calendar.getAllSubcomponents("vevent").map((component) => new ICAL.Event(component, { strictExceptions: true, exceptions: [] }));
const found = {};
for (const event of events.filter((one) => !one.isRecurrenceException())) {
  for (const other of events) if (other.isRecurrenceException() && other.uid === event.uid) event.relateException(other);
  const times = (found[event.uid] = []);
  const walk = event.iterator();
  for (let next = walk.next(); next; next = walk.next()) {
    const { startDate, endDate } = event.getOccurrenceDetails(next);
    times.push([startDate.toUnixTime(), endDate.toUnixTime()]);
    if (!event.isRecurring()) break;
  }
}
process.stdout.write(JSON.stringify(found));
