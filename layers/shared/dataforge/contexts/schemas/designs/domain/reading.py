"""Takes values out of a JSON document and collects what is wrong with it, each with its JSON pointer (RFC 6901)."""

from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from dataforge.contexts.schemas.designs.domain.expressions import ExpressionRefused, check_expression, check_query
from dataforge.contexts.schemas.designs.domain.names import MAX_NAME_BYTES
from dataforge.contexts.schemas.designs.domain.types import UnknownType, resolve_type
from dataforge.kernel.errors import Violation
from dataforge.kernel.texts import Text

MAX_VIOLATIONS = 200


def pointer(*parts: object) -> str:
    """A JSON pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


class Problems:
    """What is wrong so far; the first two hundred are kept."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []

    def add(self, at: str, message: str, rule: str = "invalid") -> None:
        """Note one problem."""
        if len(self.violations) < MAX_VIOLATIONS:
            self.violations.append(Violation(at, message, rule))


def check_texts(document: object, problems: Problems) -> None:
    """Note every text, member names included, that PostgreSQL cannot hold: with NUL or half of a surrogate pair."""
    waiting: list[tuple[str, object]] = [("", document)]
    while waiting:
        at, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [(at + pointer(_shown(str(key))), item) for key, item in value.items()]
            waiting += [(at, key) for key in value if isinstance(key, str)]
        elif isinstance(value, list):
            waiting += [(f"{at}/{index}", item) for index, item in enumerate(value)]
        elif isinstance(value, str) and ("\0" in value or _shown(value) != value):
            problems.add(at, Text("must not contain NUL or half of a surrogate pair"), "characters")


def _shown(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


class Node:
    """One JSON object of the document and where it stands."""

    def __init__(self, value: Any, at: str, problems: Problems, allowed: Collection[str]) -> None:  # noqa: ANN401
        self.at = at
        self.problems = problems
        self.value: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        if not isinstance(value, Mapping):
            problems.add(at, Text("must be an object"), "type")
        for key in self.value:
            if key not in allowed:
                near = get_close_matches(str(key), list(allowed), n=1, cutoff=0.6)
                meant = f', did you mean "{near[0]}"?' if near else ""
                problems.add(
                    at + pointer(key), Text('unknown member "{key}"{meant}', key=key, meant=meant), "unknown_member"
                )

    def has(self, key: str) -> bool:
        """Whether the member is there and not null."""
        return self.value.get(key) is not None

    def refuse(self, key: str, message: str, rule: str = "invalid") -> None:
        """Note a problem with a member."""
        self.problems.add(self.at + pointer(key), message, rule)

    def children(self, key: str, allowed: Collection[str], *, most: int = 10_000) -> Iterator["Node"]:
        """The objects in a list."""
        for index, item in enumerate(self.items(key, most=most)):
            yield Node(item, f"{self.at}/{key}/{index}", self.problems, allowed)

    def child(self, key: str, allowed: Collection[str]) -> "Node | None":
        """The object that a member holds."""
        return Node(self.value[key], f"{self.at}/{key}", self.problems, allowed) if self.has(key) else None

    def items(self, key: str, *, most: int = 10_000) -> list[Any]:
        """A list, empty when it is not there."""
        value = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(key, Text("must be a list"), "type")
            return []
        if len(value) > most:
            self.refuse(key, Text("has {count} entries; {most} are the most", count=len(value), most=most), "too_long")
            return []
        return value

    def text(self, key: str, default: str | None = None, *, most: int = 10_000) -> str | None:
        """A text."""
        value = self.value.get(key)
        if value is None:
            return default
        if not isinstance(value, str) or len(value) > most:
            self.refuse(key, Text("must be a text of at most {most} characters", most=most), "type")
            return default
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """A truth value."""
        value = self.value.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(key, Text("must be true or false"), "type")
            return default
        return value

    def number(self, key: str, *, least: int = -(2**63), most: int = 2**63 - 1) -> int | None:
        """A whole number that fits into a bigint, and between others."""
        value = self.value.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
            self.refuse(key, Text("must be a whole number"), "type")
            return None
        if not least <= value <= most:
            self.refuse(key, Text("must be a whole number from {least} to {most}", least=least, most=most), "range")
            return None
        return value

    def choice(self, key: str, choices: Mapping[str, str], default: str = "") -> str:
        """One of several words, as the SQL it stands for."""
        value = self.text(key)
        if value is None:
            return default
        found = choices.get(value) or choices.get(" ".join(value.split()).lower())
        if found is None:
            near = get_close_matches(value.lower(), list(choices), n=1)
            meant = f', did you mean "{near[0]}"?' if near else f"; choose from {', '.join(sorted(choices))}"
            self.refuse(key, Text('unknown value "{value}"{meant}', value=value, meant=meant), "choice")
            return default
        return found

    def name(self, key: str = "name", *, required: bool = True) -> str | None:
        """A name that PostgreSQL can quote."""
        value = self.value.get(key)
        if value is None and not required:
            return None
        if not isinstance(value, str) or not value:
            self.refuse(key, Text("must be a name"), "name")
            return None
        if "\0" in value or len(value.encode(errors="replace")) > MAX_NAME_BYTES:
            self.refuse(
                key, Text("names have at most {max_name_bytes} bytes and no NUL", max_name_bytes=MAX_NAME_BYTES), "name"
            )
            return None
        return value

    def names(self, key: str) -> tuple[str, ...]:
        """A list of names."""
        found = self.items(key, most=1600)
        if any(not isinstance(item, str) or not item for item in found):
            self.refuse(key, Text("must be a list of names"), "type")
            return ()
        if len(set(found)) != len(found):
            self.refuse(key, Text("names something twice"), "duplicate")
        return tuple(found)

    def expression(self, key: str) -> str | None:
        """An SQL expression."""
        return self.sql(key, check_expression, "expression")

    def query(self, key: str) -> str | None:
        """The query of a view."""
        if not self.has(key):
            self.refuse(key, Text("must be a query"), "type")
        return self.sql(key, check_query, "query")

    def sql(self, key: str, check: Callable[[str], str], what: str) -> str | None:
        """A text of SQL that a check lets through."""
        value = self.text(key)
        if value is None:
            return None
        try:
            return check(value)
        except ExpressionRefused as error:
            self.refuse(key, Text("the {what} {error}", what=what, error=error), "expression")
            return None

    def type(self, key: str, own: Collection[str]) -> tuple[str, str | None, bool]:
        """A type as SQL, the enum or domain it names, and whether it is a serial."""
        value = self.value.get(key)
        if not isinstance(value, str) or not value.strip():
            self.refuse(key, Text("must be a type, such as VARCHAR(255)"), "type")
            return "text", None, False
        try:
            return resolve_type(value, own)
        except UnknownType as error:
            self.refuse(key, str(error), "unknown_type")
            return "text", None, False
