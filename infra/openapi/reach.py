"""What a handler can come to: the errors it may raise and the headers it may send, read from the source.

Functions are followed by the names that they use, methods by the annotated types of what they are called on. What is
only caught is not counted. Calls whose object has no known type are not followed: better one code too few than many
that cannot occur, since every operation says besides that any problem document may come.
"""

import ast
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from dataforge.kernel.errors import DataForgeError

_OURS = ("dataforge.contexts.", "dataforge.http.", "dataforge.kernel.", "dataforge.platform.", "versioned_tables.")
# Refusals of these are declared by rule, for every operation that they are met in.
_BY_RULE = (
    *("dataforge.http.auth", "dataforge.http.call", "dataforge.http.app", "dataforge.platform.db.database"),
    *("dataforge.platform.db.unit_of_work", "dataforge.platform.db.idempotency", "dataforge.platform.services"),
)
_HEADERS = frozenset({"ETag", "Last-Modified", "Link", "Location", "Retry-After", "Content-Disposition"})


@dataclass
class Reach:
    """The errors and headers, and the names of all functions on the way."""

    errors: set[type[DataForgeError]] = field(default_factory=set)
    headers: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)


def reach_of(handler: Callable[..., Any]) -> Reach:
    """What a handler can come to."""
    reach = Reach()
    todo: list[Any] = [handler]
    seen: set[Any] = set()
    while todo:
        function = inspect.unwrap(todo.pop())
        if function in seen:
            continue
        seen.add(function)
        node = _node(function)
        if node is None:
            continue
        reach.functions.add(function.__name__)
        if function.__module__ in _BY_RULE:
            continue
        todo += _Body(function, node, reach).followed()
    return reach


class _Body:
    """One function: what its expressions are, as far as annotations tell."""

    def __init__(self, function: types.FunctionType, node: ast.AST, reach: Reach) -> None:
        self._names: dict[str, Any] = dict(function.__globals__)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            self._names[name] = _content(cell)
        self._types: dict[str, Any] = dict(_hints(function))
        owner = _owner(function)
        if owner is not None:
            self._types["self"] = owner
        self._node = node
        self._reach = reach

    def followed(self) -> list[Any]:
        """The functions that this one uses."""
        found: list[Any] = []
        body: list[ast.AST] = list(getattr(self._node, "body", []))
        for node in _in_order(body):
            if isinstance(node, ast.ImportFrom) and node.module:
                self._import(node)
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self._types[node.targets[0].id] = self._type(node.value)
            elif isinstance(node, (ast.AsyncWith, ast.With)):
                self._enter(node)
            elif isinstance(node, ast.Constant) and node.value in _HEADERS:
                self._reach.headers.add(node.value)
            elif isinstance(node, (ast.Name, ast.Attribute)):
                found += self._use(node)
        return found

    def _import(self, node: ast.ImportFrom) -> None:
        module = import_module(str(node.module))
        for alias in node.names:
            self._names[alias.asname or alias.name] = getattr(module, alias.name, None)

    def _enter(self, node: ast.AsyncWith | ast.With) -> None:
        for item in node.items:
            if isinstance(item.optional_vars, ast.Name):
                self._types[item.optional_vars.id] = self._type(item.context_expr)

    def _use(self, node: ast.Name | ast.Attribute) -> Iterator[Any]:
        value = self._value(node)
        if isinstance(value, property):
            value = value.fget
        if isinstance(value, (classmethod, staticmethod)):
            value = value.__func__
        if isinstance(value, type):
            if issubclass(value, DataForgeError):
                self._reach.errors.add(value)
            elif "__init__" in vars(value) and inspect.isfunction(value.__init__):
                yield value.__init__
        elif inspect.isfunction(inspect.unwrap(value)) if callable(value) else False:
            yield value
        elif inspect.ismethod(value):
            yield value.__func__

    def _value(self, node: ast.AST) -> Any:  # noqa: ANN401 - whatever a name stands for
        """What a name or a dotted name stands for: a function, class or module; None if that is unknown."""
        if isinstance(node, ast.Name):
            return None if node.id in self._types else self._names.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self._value(node.value)
            if isinstance(base, (type, types.ModuleType)):
                return inspect.getattr_static(base, node.attr, None)
            kind = self._type(node.value)
            return inspect.getattr_static(kind, node.attr, None) if isinstance(kind, type) else None
        return None

    def _type(self, node: ast.AST) -> Any:  # noqa: ANN401 - as above
        """The class of what an expression gives; None if that is unknown."""
        match node:
            case ast.Await():
                return self._type(node.value)
            case ast.Name():
                return _class(self._types.get(node.id))
            case ast.Attribute():
                return self._type_of_attribute(node)
            case ast.Call():
                return self._type_of_call(node)
        return None

    def _type_of_attribute(self, node: ast.Attribute) -> Any:  # noqa: ANN401 - as above
        owner = self._type(node.value)
        if not isinstance(owner, type):
            return None
        member = inspect.getattr_static(owner, node.attr, None)
        if isinstance(member, property):
            return _class(_hints(member.fget).get("return"))
        return _class(_hints(owner).get(node.attr))

    def _type_of_call(self, node: ast.Call) -> Any:  # noqa: ANN401 - as above
        called = self._value(node.func)
        if isinstance(called, type):
            return called
        if isinstance(called, (classmethod, staticmethod)):
            called = called.__func__
        if not inspect.isfunction(called):
            return None
        given = _hints(called).get("return")
        if isinstance(given, typing.TypeVar) and node.args:  # `services(kind: type[Built]) -> Built`
            asked = self._value(node.args[0])
            return asked if isinstance(asked, type) else None
        return _class(given)


def _in_order(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    """Every node of these, in the order of the source; what is caught, and annotations, are left out."""
    for node in nodes:
        yield node
        for name, value in ast.iter_fields(node):
            if (isinstance(node, ast.ExceptHandler) and name == "type") or name in ("annotation", "returns"):
                continue
            children = value if isinstance(value, list) else [value]
            yield from _in_order([child for child in children if isinstance(child, ast.AST)])


def _content(cell: Any) -> Any:  # noqa: ANN401 - any cell
    try:
        return cell.cell_contents
    except ValueError:
        return None


@cache
def _hints(of: Any) -> Mapping[str, Any]:  # noqa: ANN401 - a function or a class
    try:
        return typing.get_type_hints(of)
    except (NameError, TypeError, AttributeError):  # names that only a type checker imports
        return {}


def _class(annotation: Any) -> Any:  # noqa: ANN401 - any annotation
    origin = typing.get_origin(annotation)
    if isinstance(annotation, type) and origin is None:
        return annotation
    if origin in (types.UnionType, typing.Union):
        return next((kind for kind in map(_class, typing.get_args(annotation)) if kind not in (None, type(None))), None)
    if isinstance(origin, type) and issubclass(origin, typing.AsyncContextManager | typing.ContextManager):
        return _class(typing.get_args(annotation)[0])
    return origin if isinstance(origin, type) and origin.__module__.startswith("dataforge") else None


def _owner(function: types.FunctionType) -> type | None:
    """The class that a method is written in."""
    value: Any = sys.modules[function.__module__]
    for part in function.__qualname__.split(".")[:-1]:
        value = getattr(value, part, None)
    return value if isinstance(value, type) else None


def _node(function: Any) -> ast.AST | None:  # noqa: ANN401 - any callable
    if not inspect.isfunction(function) or not function.__module__.startswith(_OURS):
        return None
    return _nodes(function.__module__).get((function.__qualname__, function.__code__.co_firstlineno))


@cache
def _nodes(module: str) -> dict[tuple[str, int], ast.AST]:
    """The functions of a module by qualified name and first line, decorators included."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    found: dict[tuple[str, int], ast.AST] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                found[f"{prefix}{child.name}", first] = child
                visit(child, f"{prefix}{child.name}.<locals>.")
            elif isinstance(child, ast.ClassDef):
                visit(child, f"{prefix}{child.name}.")
            else:
                visit(child, prefix)

    visit(tree, "")
    return found
