"""Why a form is shown again: beside the fields that are to blame, in the words of the API."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from dataforge.kernel.errors import DataForgeError, Violation
from dataforge.kernel.validation import plain_message


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a form was refused for: `text` is above it, `fields` by their names are beside them."""

    status: int = 200
    text: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def beside(self, name: str) -> str:
        """What is wrong with a field; empty for nothing."""
        return self.fields.get(name, "")


ACCEPTED = Refusal()
"""Nothing is wrong with a form, or it is shown for the first time."""


def refusal_of(error: ValidationError | DataForgeError, fields: Collection[str] = ()) -> Refusal:
    """The refusal of a form with these fields; what is about none of them is in `text`."""
    if isinstance(error, ValidationError):
        mistakes = [Violation(_pointer(item["loc"]), plain_message(item)) for item in error.errors()]
        return _sorted(400, mistakes, fields)
    places = [item.pointer.removeprefix("/") for item in error.violations]
    if len(places) == 1 and places[0] in fields:
        return Refusal(error.status, "", {places[0]: error.detail})
    if places and set(places) <= set(fields):
        return _sorted(error.status, error.violations, fields)
    return Refusal(error.status, error.detail)


def _sorted(status: int, violations: Collection[Violation], fields: Collection[str]) -> Refusal:
    beside: dict[str, str] = {}
    above: list[str] = []
    for item in violations:
        place = item.pointer.removeprefix("/").partition("/")[0]
        if place in fields:
            beside.setdefault(place, f"{item.message[:1].upper()}{item.message[1:]}.")
        else:
            above.append(f"{place.replace('_', ' ').capitalize() or 'The form'} {item.message}.")
    return Refusal(status, " ".join(above), beside)


def _pointer(place: tuple[int | str, ...]) -> str:
    return "".join(f"/{part}" for part in place)
