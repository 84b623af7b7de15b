"""What a course player sends (cmi5)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

CMI5 = {"id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"}
MOVE_ON = {"id": "https://w3id.org/xapi/cmi5/context/categories/moveon"}
EXTENSIONS = "https://w3id.org/xapi/cmi5/context/extensions/"
MASTERY = f"{EXTENSIONS}masteryscore"
VERBS = "http://adlnet.gov/expapi/verbs/"
_RESULTS: Mapping[str, dict[str, Any]] = {
    "completed": {"completion": True, "duration": "PT10M"},
    "passed": {"success": True, "duration": "PT10M"},
    "failed": {"success": False, "duration": "PT10M"},
    "terminated": {"duration": "PT11M"},
}


class Player:
    """Makes the statements of one session, a second apart, with what LMS.LaunchData says."""

    def __init__(self, launch: Mapping[str, Any], data: Mapping[str, Any], *, begun: datetime | None = None) -> None:
        self.launch, self.data = launch, data
        self._at = begun or datetime.now(UTC)

    def says(self, verb: str, **changes: Any) -> dict[str, Any]:
        """A defined statement; `score` goes into its result, None takes a member away."""
        self._at += timedelta(seconds=1)
        template = self.data["contextTemplate"]
        result = dict(_RESULTS.get(verb, {}))
        extensions = dict(template["extensions"])
        if "score" in changes:
            result["score"] = {"scaled": changes.pop("score")}
            if "masteryScore" in self.data:
                extensions[MASTERY] = self.data["masteryScore"]
        judged = [MOVE_ON] if {"success", "completion"} & result.keys() else []
        context = {
            **template,
            "registration": str(self.launch["registration"]),
            "extensions": extensions,
            "contextActivities": {**template["contextActivities"], "category": [CMI5, *judged]},
        }
        made = {
            "id": str(uuid4()),
            "timestamp": self._at.isoformat().replace("+00:00", "Z"),
            "actor": self.launch["actor"],
            "verb": {"id": VERBS + verb, "display": {"en": verb}},
            "object": {"id": self.launch["activity_id"]},
            "context": context,
            **({"result": result} if result else {}),
        }
        return {name: value for name, value in {**made, **changes}.items() if value is not None}

    def also_says(self, verb: str, **changes: Any) -> dict[str, Any]:
        """A statement that is none of the defined ones, about something in the lesson."""
        made = self.says(verb)
        related = {name: items for name, items in made["context"]["contextActivities"].items() if name != "category"}
        made["context"] = {**made["context"], "contextActivities": related}
        return {**made, "object": {"id": f"{self.launch['activity_id']}/page/1"}, **changes}
