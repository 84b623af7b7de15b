"""Whether one statement says that its object is done.

There is no single way to say so: it arrives as the verb completed, passed, satisfied, mastered or waived, or as
`result.completion` beside another verb. What must not count: a question that was answered with `completion: true` (the
question is done, not the lesson), a verb contradicted by its own result, plans (SubStatements), statements about people
or statements, and voiding. cmi5's moveOn is the launching system's business; it says the outcome with `satisfied`.
Where it travels in the context, as our launches have it, the other verbs count only as far as it says, and only in
statements that cmi5 defines.
Voided statements are left out by whoever reads the rows.
"""

from collections.abc import Mapping

COMPLETING_VERBS = frozenset(
    {
        "http://adlnet.gov/expapi/verbs/completed",
        "http://adlnet.gov/expapi/verbs/passed",
        "http://adlnet.gov/expapi/verbs/mastered",
        "https://w3id.org/xapi/adl/verbs/completed",
        "https://w3id.org/xapi/adl/verbs/passed",
        "https://w3id.org/xapi/adl/verbs/satisfied",
        "https://w3id.org/xapi/adl/verbs/waived",
        "http://activitystrea.ms/schema/1.0/complete",
        "http://activitystrea.ms/complete",
    },
)
"""Verbs that mean done by themselves."""

_SUCCESS_VERBS = frozenset(verb for verb in COMPLETING_VERBS if verb.endswith(("passed", "mastered")))
_PARTIAL_VERBS = ("/answered", "/responded", "/interacted", "/progressed", "/attempted", "/initialized", "/launched")
_CMI5 = "https://w3id.org/xapi/cmi5/context/categories/cmi5"
_MOVE_ON = "https://w3id.org/xapi/cmi5/context/extensions/moveon"
# What satisfies a unit by itself; of both together, and of none, only the launching system knows.
_ENOUGH = {
    "Passed": ("/passed",),
    "Completed": ("/completed",),
    "CompletedOrPassed": ("/passed", "/completed"),
}
_INTERACTION_TYPES = frozenset(
    {
        "http://adlnet.gov/expapi/activities/cmi.interaction",
        "http://adlnet.gov/expapi/activities/interaction",
        "http://adlnet.gov/expapi/activities/question",
    },
)


def is_completion(statement: Mapping[str, object]) -> bool:
    """Whether a valid statement says that its actor has done its object, an Activity that is no question."""
    target, verb = statement.get("object"), statement.get("verb")
    if not isinstance(target, dict) or not isinstance(verb, dict) or target.get("objectType", "Activity") != "Activity":
        return False
    if is_question(target.get("definition")):
        return False
    result = statement.get("result")
    found = result if isinstance(result, dict) else {}
    verb_id = verb.get("id")
    if not isinstance(verb_id, str) or found.get("completion") is False:
        return False
    if not _moves_on(statement, verb_id):
        return False
    if verb_id in COMPLETING_VERBS:
        return not (verb_id in _SUCCESS_VERBS and found.get("success") is False)
    return found.get("completion") is True and not verb_id.endswith(_PARTIAL_VERBS)


def _moves_on(statement: Mapping[str, object], verb_id: str) -> bool:
    context = statement.get("context")
    extensions = context.get("extensions") if isinstance(context, dict) else None
    move_on = extensions.get(_MOVE_ON) if isinstance(extensions, dict) else None
    if not isinstance(context, dict) or not isinstance(move_on, str):
        return True
    # Others are what a player adds of its own.
    related = context.get("contextActivities")
    listed = related.get("category") if isinstance(related, dict) else None
    categories = [
        item.get("id") for item in (listed if isinstance(listed, list) else [listed]) if isinstance(item, dict)
    ]
    return _CMI5 in categories and verb_id.endswith((*_ENOUGH.get(move_on, ()), "/satisfied", "/waived"))


def is_question(definition: object) -> bool:
    """Whether an activity with this definition is answered rather than done: it is part of a lesson."""
    if not isinstance(definition, dict):
        return False
    return "interactionType" in definition or definition.get("type") in _INTERACTION_TYPES
