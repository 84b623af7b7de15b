"""Activities and their definitions, interactions included (Data 2.4.4.1)."""

from dataforge.contexts.lrs.statements.domain.rules import Rule
from dataforge.contexts.lrs.statements.domain.validation.formats import (
    check_extensions,
    check_iri,
    check_language_map,
)
from dataforge.contexts.lrs.statements.domain.validation.report import (
    Check,
    Report,
    array_of,
    check_members,
    check_string,
    exactly,
    preview,
)
from dataforge.contexts.lrs.statements.domain.versions import XapiVersion
from dataforge.kernel.texts import Text

_COMPONENTS = {
    "true-false": frozenset[str](),
    "choice": frozenset({"choices"}),
    "fill-in": frozenset[str](),
    "long-fill-in": frozenset[str](),
    "matching": frozenset({"source", "target"}),
    "performance": frozenset({"steps"}),
    "sequencing": frozenset({"choices"}),
    "likert": frozenset({"scale"}),
    "numeric": frozenset[str](),
    "other": frozenset[str](),
}
# H5P's question sets. 1.0.x takes the list over from SCORM; to refuse what is not in it would lose the results of
# every such question set (infra/runbooks/xapi-clients.md). IEEE 9274.1.1 closes the list.
_ALSO_IN_1_0 = {"compound": frozenset[str]()}
_COMPONENT_LISTS = frozenset({"choices", "scale", "source", "target", "steps"})


def _allowed_components(interaction: str, report: Report) -> frozenset[str] | None:
    """The component lists that go with an interaction type; None when there is no such type."""
    found = _COMPONENTS.get(interaction)
    return _ALSO_IN_1_0.get(interaction) if found is None and report.version is XapiVersion.V1_0 else found


def _check_interaction_type(value: object, path: str, report: Report) -> None:
    if not isinstance(value, str):
        report.wrong_type(value, path, Text("a string with an interaction type"))
    elif _allowed_components(value, report) is None:
        report.add(
            path,
            Rule.ENUMERATION,
            Text(
                "{value} is not an interaction type: {components}.",
                value=preview(value),
                components=", ".join(_COMPONENTS),
            ),
        )


_COMPONENT: dict[str, Check] = {"id": check_string, "description": check_language_map}


def _check_component(value: object, path: str, report: Report) -> None:
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("an object with id and description"))
        return
    check_members(value, path, report, _COMPONENT, ("id",))


def _check_components(value: object, path: str, report: Report) -> None:
    if not isinstance(value, list):
        report.wrong_type(value, path, Text("an array of interaction components"))
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        _check_component(item, f"{path}/{index}", report)
        identifier = item.get("id") if isinstance(item, dict) else None
        if not isinstance(identifier, str):
            continue
        if identifier in seen:
            message = Text(
                "The id {identifier} is used twice in this list; ids are unique.", identifier=preview(identifier)
            )
            report.add(f"{path}/{index}/id", Rule.INTERACTION, message)
        seen.add(identifier)


_DEFINITION: dict[str, Check] = {
    "name": check_language_map,
    "description": check_language_map,
    "type": check_iri,
    "moreInfo": check_iri,
    "extensions": check_extensions,
    "interactionType": _check_interaction_type,
    "correctResponsesPattern": array_of(check_string, Text("an array of strings")),
    **dict.fromkeys(sorted(_COMPONENT_LISTS), _check_components),
}


def check_definition(value: object, path: str, report: Report) -> None:
    """An activity definition; component lists only beside the interaction type they belong to."""
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("an object"))
        return
    check_members(value, path, report, _DEFINITION)
    if "interactionType" not in value:
        for name in sorted({"correctResponsesPattern", *_COMPONENT_LISTS}.intersection(value)):
            message = Text("`{name}` belongs to an interaction: `interactionType` is missing.", name=name)
            report.add(f"{path}/{name}", Rule.INTERACTION, message)
        return
    interaction = value["interactionType"]
    allowed = _allowed_components(interaction, report) if isinstance(interaction, str) else None
    if allowed is None or _COMPONENT_LISTS.isdisjoint(value):
        return
    for name in sorted(_COMPONENT_LISTS.intersection(value) - allowed):
        message = Text(
            "`{name}` does not go with the interaction type {interaction}.", name=name, interaction=preview(interaction)
        )
        report.add(f"{path}/{name}", Rule.INTERACTION, message)


_ACTIVITY: dict[str, Check] = {"objectType": exactly("Activity"), "id": check_iri, "definition": check_definition}


def check_activity(value: object, path: str, report: Report) -> None:
    """An Activity; `objectType` may be left out."""
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("an Activity object"))
        return
    check_members(value, path, report, _ACTIVITY, ("id",))
