"""Statements in the formats `ids` and `canonical` (Communication 2.1.3)."""

from collections.abc import Callable, Iterator, Mapping

from dataforge.contexts.lrs.statements.domain.times import in_utc

Transform = Callable[[dict[str, object]], dict[str, object]]
_RELATIONS = ("parent", "grouping", "category", "other")
_COMPONENTS = ("choices", "scale", "source", "target", "steps")
_IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")


def as_ids(statement: dict[str, object]) -> dict[str, object]:
    """The statement with agents, groups, verbs and activities by what identifies them only."""
    return _changed(statement, agent=_agent_id, verb=_id_only, activity=_id_only)


def as_canonical(
    statement: dict[str, object], definitions: Mapping[str, Mapping[str, object]], languages: "Languages"
) -> dict[str, object]:
    """The statement with the activities' merged definitions (by id), and one language in every language map."""

    def activity(found: dict[str, object]) -> dict[str, object]:
        definition = definitions.get(str(found.get("id"))) or found.get("definition")
        return {**found, "definition": languages.in_definition(definition)} if isinstance(definition, dict) else found

    def verb(found: dict[str, object]) -> dict[str, object]:
        return {**found, "display": languages.one_of(found["display"])} if "display" in found else found

    return _changed(statement, agent=lambda agent: agent, verb=verb, activity=activity)


def with_times_in_utc(statement: dict[str, object]) -> dict[str, object]:
    """The statement with its time and that of its SubStatement as clients of 2.0 read them (IEEE 9274.1.1 §4.2.7)."""
    found = dict(statement)
    if isinstance(found.get("timestamp"), str):
        found["timestamp"] = in_utc(str(found["timestamp"]))
    target = found.get("object")
    if isinstance(target, dict) and target.get("objectType") == "SubStatement":
        found["object"] = with_times_in_utc(target)
    return found


def activity_ids(statement: Mapping[str, object]) -> Iterator[str]:
    """The ids of all activities in a statement."""
    found: list[str] = []

    def remember(activity: dict[str, object]) -> dict[str, object]:
        found.append(str(activity.get("id")))
        return activity

    _changed(dict(statement), agent=lambda agent: agent, verb=lambda verb: verb, activity=remember)
    return iter(found)


def _changed(part: dict[str, object], *, agent: Transform, verb: Transform, activity: Transform) -> dict[str, object]:
    """A statement or SubStatement with its parts changed, as a new object."""
    found = dict(part)
    for name in ("actor", "authority"):
        _put(found, name, agent)
    _put(found, "verb", verb)
    target = found.get("object")
    kind = target.get("objectType", "Activity") if isinstance(target, dict) else None
    if kind == "Activity":
        _put(found, "object", activity)
    elif kind in ("Agent", "Group"):
        _put(found, "object", lambda item: {**agent(item), "objectType": kind})
    elif kind == "SubStatement":
        _put(found, "object", lambda item: _changed(item, agent=agent, verb=verb, activity=activity))
    _put(found, "context", lambda item: _context(item, agent=agent, activity=activity))
    return found


def _context(context: dict[str, object], *, agent: Transform, activity: Transform) -> dict[str, object]:
    found = dict(context)
    for name in ("instructor", "team"):
        _put(found, name, agent)
    related = found.get("contextActivities")
    if isinstance(related, dict):
        found["contextActivities"] = {
            name: [activity(item) for item in items] if name in _RELATIONS and isinstance(items, list) else items
            for name, items in related.items()
        }
    for several, one in (("contextAgents", "agent"), ("contextGroups", "group")):
        items = found.get(several)
        if isinstance(items, list):
            found[several] = [{**item, one: agent(item[one])} if one in item else item for item in items]
    return found


def _put(part: dict[str, object], name: str, change: Transform) -> None:
    value = part.get(name)
    if isinstance(value, dict):
        part[name] = change(value)


def _id_only(item: dict[str, object]) -> dict[str, object]:
    return {"id": item["id"]}


def _agent_id(agent: dict[str, object]) -> dict[str, object]:
    found = {name: agent[name] for name in ("objectType", *_IDENTIFIERS) if name in agent}
    members = agent.get("member")
    if isinstance(members, list) and not found.keys() & set(_IDENTIFIERS):
        found["member"] = [_agent_id(member) for member in members if isinstance(member, dict)]
    return found


class Languages:
    """The languages that a client reads, best first (RFC 9110 §12.5.4, RFC 4647 §3.4)."""

    def __init__(self, accept_language: str) -> None:
        ranked: list[tuple[float, str]] = []
        for part in accept_language.split(","):
            tag, _, parameter = part.partition(";")
            weight = _weight(parameter)
            if tag.strip() and weight > 0:
                ranked.append((-weight, tag.strip().lower()))
        self._ranges = [tag for _, tag in sorted(ranked, key=lambda item: item[0])]

    def one_of(self, language_map: object) -> object:
        """The map with the text that suits best, or its first one."""
        if not isinstance(language_map, dict) or len(language_map) < 2:
            return language_map
        tag = next((found for wanted in self._ranges if (found := _lookup(wanted, language_map))), None)
        tag = tag or next(iter(language_map))
        return {tag: language_map[tag]}

    def in_definition(self, definition: Mapping[str, object]) -> dict[str, object]:
        """An activity's definition with one language in each map, those of its interaction included."""
        found = dict(definition)
        for name in ("name", "description"):
            if name in found:
                found[name] = self.one_of(found[name])
        for name in _COMPONENTS:
            items = found.get(name)
            if isinstance(items, list):
                found[name] = [
                    {**item, "description": self.one_of(item["description"])} if "description" in item else item
                    for item in items
                ]
        return found


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name.strip().lower() == "q" else 1.0
    except ValueError:
        return 0.0


def _lookup(wanted: str, language_map: Mapping[str, object]) -> str | None:
    """The tag that the range names, or one below it, or (cut at its hyphens) one above it."""
    if wanted == "*":
        return next(iter(language_map), None)
    while wanted:
        for tag in language_map:
            if tag.lower() == wanted or tag.lower().startswith(f"{wanted}-"):
                return tag
        wanted = wanted.rpartition("-")[0]
    return None
