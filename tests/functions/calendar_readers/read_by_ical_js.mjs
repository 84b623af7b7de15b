// Reads an iCalendar object from standard input with ical.js; prints each event's start and end as seconds since 1970.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
for (const zone of calendar.getAllSubcomponents("vtimezone")) {
  const timezone = new ICAL.Timezone(zone);
  ICAL.TimezoneService.register(timezone, timezone.tzid);
}
const seconds = (component, name) => component.getFirstPropertyValue(name).toUnixTime();
const found = {};
for (const event of calendar.getAllSubcomponents("vevent"))
  found[event.getFirstPropertyValue("uid")] = [seconds(event, "dtstart"), seconds(event, "dtend")];
process.stdout.write(JSON.stringify(found));
