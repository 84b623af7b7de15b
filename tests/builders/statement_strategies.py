"""Hypothesis strategies for JSON, for valid statements, and for statements that are broken somewhere."""

from typing import Any

from hypothesis import strategies as st

from dataforge.contexts.lrs.statements.domain import read_json

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-(10**30), 10**30, allow_nan=False, allow_infinity=False, places=25).map(
        lambda one: read_json(str(one))
    ),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
UUIDS = st.uuids().map(str) | st.uuids().map(lambda one: str(one).upper())
IRIS = st.sampled_from(["https://example.org/a", "urn:x:1", "http://bücher.example/ä", "tag:example.org,2026:%20"])
TAGS = st.sampled_from(["en", "en-US", "zh-Hant", "sr-Latn-RS", "de-CH-1996", "x-own"])
MAPS = st.dictionaries(TAGS, TEXT, max_size=3)
EXTENSIONS = st.dictionaries(IRIS | st.just("https://7taps.com/lesson-number"), JSON, max_size=3)
TIMESTAMPS = (
    st.datetimes()
    .filter(lambda at: 1 < at.year < 9999)
    .flatmap(lambda at: st.sampled_from(["Z", "+00:00", "-05:30", "+14:00"]).map(lambda zone: at.isoformat() + zone))
)
DURATIONS = st.sampled_from(["PT1H", "P1DT12H36M0.12567S", "P4W", "PT0,5S", "P3Y1M29DT4H35M59.14S"])


def _objects(required: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional or {})


IDENTIFIERS = st.one_of(
    _objects({"mbox": st.sampled_from(["mailto:a@b.c", "mailto:Ana.Roux@Example.org"])}),
    _objects({"mbox_sha1sum": st.text("0123456789abcdefABCDEF", min_size=40, max_size=40)}),
    _objects({"openid": IRIS}),
    _objects({"account": _objects({"homePage": IRIS, "name": TEXT})}),
)
AGENTS = st.builds(
    lambda names, identifier: {**names, **identifier},
    _objects({}, {"objectType": st.just("Agent"), "name": TEXT}),
    IDENTIFIERS,
)
GROUPS = st.one_of(
    _objects({"objectType": st.just("Group"), "member": st.lists(AGENTS, max_size=3)}, {"name": TEXT}),
    st.builds(
        lambda names, identifier: {**names, **identifier},
        _objects({"objectType": st.just("Group")}, {"name": TEXT, "member": st.lists(AGENTS, max_size=2)}),
        IDENTIFIERS,
    ),
)
ACTORS = AGENTS | GROUPS
REFERENCES = _objects({"objectType": st.just("StatementRef"), "id": UUIDS})
COMPONENTS = st.lists(
    _objects({"id": TEXT}, {"description": MAPS}), max_size=3, unique_by=lambda component: str(component["id"])
)
INTERACTIONS = st.one_of(
    _objects({"interactionType": st.sampled_from(["choice", "sequencing"])}, {"choices": COMPONENTS}),
    _objects({"interactionType": st.just("likert")}, {"scale": COMPONENTS}),
    _objects({"interactionType": st.just("matching")}, {"source": COMPONENTS, "target": COMPONENTS}),
    _objects({"interactionType": st.just("performance")}, {"steps": COMPONENTS}),
    _objects({"interactionType": st.sampled_from(["true-false", "fill-in", "long-fill-in", "numeric", "other"])}),
    st.just({}),
)
DEFINITIONS = st.builds(
    lambda plain, interaction: {**plain, **interaction},
    _objects({}, {"name": MAPS, "description": MAPS, "type": IRIS, "moreInfo": IRIS, "extensions": EXTENSIONS}),
    INTERACTIONS,
)
ACTIVITIES = _objects({"id": IRIS}, {"objectType": st.just("Activity"), "definition": DEFINITIONS})
VERB_IDS = st.sampled_from(
    ["http://adlnet.gov/expapi/verbs/completed", "http://adlnet.gov/expapi/verbs/passed", "urn:verb:read"]
)
VERBS = _objects({"id": IRIS | VERB_IDS}, {"display": MAPS})
SCORES = _objects(
    {},
    {
        "scaled": st.floats(-1, 1) | st.integers(-1, 1),
        "raw": st.integers(0, 10) | st.floats(0, 10),
        "min": st.integers(-5, 0),
        "max": st.integers(10, 20),
    },
)
RESULTS = _objects(
    {},
    {
        "score": SCORES,
        "success": st.booleans(),
        "completion": st.booleans(),
        "response": TEXT,
        "duration": DURATIONS,
        "extensions": EXTENSIONS,
    },
)
RELATED = ACTIVITIES | st.lists(ACTIVITIES, max_size=2)
_CONTEXT = {
    "registration": UUIDS,
    "instructor": ACTORS,
    "team": GROUPS,
    "contextActivities": _objects({}, dict.fromkeys(("parent", "grouping", "category", "other"), RELATED)),
    "language": TAGS,
    "statement": REFERENCES,
    "extensions": EXTENSIONS,
}
CONTEXTS = _objects({}, _CONTEXT)
ACTIVITY_CONTEXTS = _objects({}, {**_CONTEXT, "platform": TEXT, "revision": TEXT})
ATTACHMENTS = st.lists(
    _objects(
        {
            "usageType": IRIS,
            "display": MAPS,
            "contentType": st.sampled_from(["text/plain", "application/pdf; a=b"]),
            "length": st.integers(0, 2**40),
            "sha2": st.text("0123456789abcdef", min_size=64, max_size=64),
            "fileUrl": IRIS,
        },
        {"description": MAPS},
    ),
    max_size=2,
)
_AROUND = {"result": RESULTS, "timestamp": TIMESTAMPS, "attachments": ATTACHMENTS}


def _statements(own: dict[str, Any], around: dict[str, Any], others: Any) -> st.SearchStrategy[dict[str, Any]]:
    about_activities = _objects(
        {**own, "actor": ACTORS, "verb": VERBS, "object": ACTIVITIES}, {**around, "context": ACTIVITY_CONTEXTS}
    )
    about_others = _objects({**own, "actor": ACTORS, "verb": VERBS, "object": others}, {**around, "context": CONTEXTS})
    return about_activities | about_others


_PEOPLE = AGENTS.map(lambda agent: {**agent, "objectType": "Agent"}) | GROUPS
SUBSTATEMENTS = _statements({"objectType": st.just("SubStatement")}, _AROUND, _PEOPLE | REFERENCES)
STATEMENTS = _statements(
    {},
    {**_AROUND, "id": UUIDS, "stored": TIMESTAMPS, "authority": AGENTS, "version": st.sampled_from(["1.0", "1.0.3"])},
    _PEOPLE | REFERENCES | SUBSTATEMENTS,
)
"""Valid statements of both lines of the standard."""


@st.composite
def broken_statements(draw: st.DrawFn) -> Any:
    """A valid statement with any JSON put in some place of it."""
    made = draw(STATEMENTS)
    holder: Any = made
    while True:
        places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not places:
            return made
        place = draw(st.sampled_from(places))
        below = holder[place]
        if not isinstance(below, dict | list) or not below or draw(st.booleans()):
            holder[place] = draw(JSON)
            return made
        holder = below
