"""What a check writes to, and the few checks everything else is made of.

A check is `check(value, path, report) -> None`: it adds a violation per broken rule and never raises, whatever JSON it
is given. Objects are described by tables from property name to check, so that validating is one pass of look-ups.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from dataforge.contexts.lrs.statements.domain.json_text import MAX_VIOLATIONS, pointer_token
from dataforge.contexts.lrs.statements.domain.rules import Rule
from dataforge.contexts.lrs.statements.domain.versions import XapiVersion
from dataforge.kernel.errors import Violation
from dataforge.kernel.texts import Text

_PREVIEW = 60


@dataclass(slots=True)
class Report:
    """The violations found so far in one statement, and what the checks need to know about the request."""

    version: XapiVersion = XapiVersion.V1_0
    part_hashes: frozenset[str] = frozenset()
    violations: list[Violation] = field(default_factory=list)

    def add(self, path: str, rule: Rule, message: str) -> None:
        """Add a broken rule at a JSON pointer; beyond MAX_VIOLATIONS nothing more is added."""
        if not self.is_full:
            self.violations.append(Violation(path, message, rule))

    @property
    def is_full(self) -> bool:
        """Whether nothing more is added."""
        return len(self.violations) >= MAX_VIOLATIONS

    def wrong_type(self, value: object, path: str, wanted: str) -> None:
        """Note that a value is null or of another JSON type than the one wanted."""
        if value is None:
            message = Text(
                "null is allowed inside extensions only; send {wanted} or leave the property out.", wanted=wanted
            )
            self.add(path, Rule.NULL, message)
        else:
            self.add(
                path, Rule.TYPE, Text("This must be {wanted}; it is {value}.", wanted=wanted, value=json_type(value))
            )


Check = Callable[[object, str, Report], None]


_JSON_TYPES: dict[type, str] = {
    bool: Text("a boolean"),
    dict: Text("an object"),
    list: Text("an array"),
    str: Text("a string"),
    type(None): "null",
}


def json_type(value: object) -> str:
    """The JSON type of a value, with its article."""
    return _JSON_TYPES.get(type(value), Text("a number"))


def preview(text: str) -> str:
    """The beginning of a value for a message."""
    return repr(text if len(text) <= _PREVIEW else text[:_PREVIEW] + "…")


def check_members(
    value: Mapping[object, object],
    path: str,
    report: Report,
    checks: Mapping[str, Check],
    required: tuple[str, ...] = (),
) -> None:
    """Run the check of every property; name the unknown ones and the missing ones."""
    for key, item in value.items():
        check = checks.get(key)  # type: ignore[call-overload]  # a key that is no string is unknown too
        if check is None:
            if report.is_full:
                break
            _unknown(str(key), path, report, checks)
        else:
            check(item, f"{path}/{key}", report)
    for name in required:
        if name not in value:
            report.add(path, Rule.MISSING, Text("The property `{name}` is required here.", name=name))


def _unknown(key: str, path: str, report: Report, checks: Mapping[str, Check]) -> None:
    near = next((name for name in checks if name.lower() == key.lower()), None)
    if near is None and len(key) <= _PREVIEW:
        near = next(iter(difflib.get_close_matches(key, checks, n=1, cutoff=0.8)), None)
    hint = Text("; did you mean `{near}`?", near=near) if near else Text("; own data belongs into `extensions`.")
    message = Text("The property {key} is not part of the standard here{hint}", key=preview(key), hint=hint)
    report.add(f"{path}/{pointer_token(key)}", Rule.UNKNOWN_PROPERTY, message)


def check_string(value: object, path: str, report: Report) -> None:
    """Any string."""
    if not isinstance(value, str):
        report.wrong_type(value, path, Text("a string"))


def check_boolean(value: object, path: str, report: Report) -> None:
    """true or false; not a string that says so."""
    if value is not True and value is not False:
        report.wrong_type(value, path, Text("true or false"))


def is_number(value: object) -> bool:
    """Whether the value is a finite JSON number; a boolean is none."""
    if isinstance(value, bool):
        return False
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, int) or (isinstance(value, float) and value - value == 0)


def exactly(word: str) -> Check:
    """A check for an enumeration of one."""

    def check(value: object, path: str, report: Report) -> None:
        if value != word:
            if isinstance(value, str):
                report.add(
                    path,
                    Rule.ENUMERATION,
                    Text('This must be exactly "{word}"; it is {value}.', word=word, value=preview(value)),
                )
            else:
                report.wrong_type(value, path, Text('the string "{word}"', word=word))

    return check


def array_of(check_item: Check, wanted: str) -> Check:
    """A check for an array whose items all pass a check."""

    def check(value: object, path: str, report: Report) -> None:
        if not isinstance(value, list):
            report.wrong_type(value, path, wanted)
            return
        for index, item in enumerate(value):
            check_item(item, f"{path}/{index}", report)

    return check
