"""What reading a target document gathers, and how single members of it are read."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from dataforge.contexts.schemas.designs.domain.model import Counter, Named
from dataforge.contexts.schemas.designs.domain.names import KEYWORDS, RESERVED, literal
from dataforge.contexts.schemas.designs.domain.reading import Node, Problems
from dataforge.kernel.canonical import canonical_json
from dataforge.kernel.errors import Violation
from dataforge.kernel.texts import Text

_OPTION = re.compile(r"[A-Za-z0-9_.+-]{1,100}")
MOST_LEVELS = 100  # of a default in JSON
COUNTING = frozenset({"start", "increment", "minimum", "maximum", "cache", "cycle"})


class Draft:
    """What reading a document has gathered."""

    def __init__(self) -> None:
        self.problems = Problems()
        self.own: frozenset[str] = frozenset()
        self.named: list[Named] = []
        self.places: dict[str, str] = {}
        self.warnings: list[Violation] = []
        self.using: dict[tuple[str, str], str] = {}
        self.backfill: dict[tuple[str, str], str] = {}
        self.values: dict[str, dict[str, str | None]] = {}
        self.taken: dict[str, dict[str, str]] = {}
        self._similar: dict[tuple[str, str], str] = {}

    def claim(self, node: Node, kind: str, name: str, *, key: str = "name") -> bool:
        """Take a name among relations, types or constraints; notes a problem when it is taken."""
        if name.startswith("pg_"):
            node.refuse(key, Text("names that begin with pg_ belong to PostgreSQL"), "reserved_name")
        if kind == "relation" and name in RESERVED:
            node.refuse(
                key, Text('"{name}" is where the deployments of the schema are kept', name=name), "reserved_name"
            )
        taken = self.taken.setdefault(kind, {})
        if name in taken:
            node.refuse(key, Text('"{name}" is already the name of {taken}', name=name, taken=taken[name]), "duplicate")
            return False
        taken[name] = f"{node.at}/{key}"
        other = self._similar.setdefault((kind, name.lower()), taken[name])
        if other != taken[name]:
            self.warn(
                node, key, Text('"{name}" differs from {other} in case only', name=name, other=other), "similar_name"
            )
        return True

    def warn(self, node: Node, key: str, message: str, rule: str) -> None:
        """Note something that is accepted and may surprise."""
        self.warnings.append(Violation(f"{node.at}/{key}", message, rule))

    def identify(self, node: Node, kind: str, name: str, path: tuple[str, ...] = ()) -> None:
        """Remember the stable id and the previous name of a thing, and warn about a name that needs quotes."""
        stable_id = node.value.get("id")
        if stable_id is not None and not isinstance(stable_id, str | int):
            node.refuse("id", Text("must be a text"), "type")
            stable_id = None
        self.named.append(
            Named(kind, path, name, None if stable_id is None else str(stable_id), node.text("previousName", most=100))
        )
        if name.lower() in KEYWORDS:
            self.warn(
                node, "name", Text('"{name}" is an SQL keyword: every statement must quote it', name=name), "keyword"
            )
        elif name != name.lower() or not name.replace("_", "a").replace("$", "a").isalnum() or name[0].isdigit():
            self.warn(node, "name", Text('"{name}" must be quoted in every statement', name=name), "quoted_name")


def options_of(node: Node, member: str = "options") -> tuple[str, ...]:
    """Storage parameters or view options, as `name=value`."""
    given = node.value.get(member) or {}
    if not isinstance(given, Mapping):
        node.refuse(member, Text("must be an object"), "type")
        return ()
    found = []
    for key, value in given.items():
        if not key.replace("_", "").replace(".", "").isalnum() or not key.isascii():
            node.refuse(member, Text('"{key}" is not the name of an option', key=key), "option")
            continue
        if isinstance(value, bool):
            found.append(f"{key}={str(value).lower()}")
        elif isinstance(value, int | float) or (isinstance(value, str) and _OPTION.fullmatch(value)):
            found.append(f"{key}={value}")
        else:
            node.refuse(
                member, Text('the value of "{key}" must be a number, a word or a truth value', key=key), "option"
            )
    return tuple(sorted(found))


def default_of(node: Node) -> str | None:
    """A default as SQL: `{"value": …}` or a plain value is quoted by us, `{"expr": …}` is an expression."""
    value = node.value.get("default")
    if isinstance(value, Mapping):
        inner = Node(value, f"{node.at}/default", node.problems, {"value", "expr"})
        if len(value) != 1:
            node.refuse("default", Text('must have either "value" or "expr"'), "default")
            return None
        if "expr" in value:
            expression = inner.expression("expr")
            return None if expression is None else f"({expression})"
        value = value["value"]
        if value is None:
            return "NULL"
    if value is None:
        return None
    return _constant(value, node)


def _constant(value: Any, node: Node) -> str | None:  # noqa: ANN401 - any JSON value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        if "\0" in value or len(value) > 10_000:
            node.refuse("default", Text("must be a text of at most 10000 characters"), "default")
            return None
        return literal(value)
    if _is_deeper(value, MOST_LEVELS):
        node.refuse("default", Text("has more than {most_levels} levels", most_levels=MOST_LEVELS), "default")
        return None
    return literal(canonical_json(value))


def _is_deeper(value: object, most: int) -> bool:
    """Whether JSON has more levels of lists and objects than that."""
    level = [value]
    for _ in range(most + 1):
        level = [inner for item in level for inner in _inside(item)]
    return bool(level)


def _inside(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()


def read_counter(node: Node) -> Counter:
    """How a sequence or identity counts."""
    return Counter(
        start=node.number("start"),
        increment=node.number("increment"),
        minimum=node.number("minimum"),
        maximum=node.number("maximum"),
        cache=node.number("cache"),
        cycle=node.flag("cycle") if node.has("cycle") else None,
    )
