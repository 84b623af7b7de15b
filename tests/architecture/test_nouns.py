"""Inside a context: nouns with the same file names, who may import whom, and where write SQL may stand."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.architecture.test_imports import CONTEXTS, CONTRACTS, contexts

# From the outside in; a module may import those of its own rank in other nouns, and what is further in.
# Commands may ask queries: what a preview shows and what is applied are found by the same code.
RANKS = {"routes": 5, "pages": 5, "consumers": 5, "commands": 4, "queries": 3, "repository": 2, "wire": 2, "domain": 1}
WRITES = re.compile(r"\b(?:INSERT INTO|UPDATE (?:ONLY )?[\w.]+(?: AS)?(?: \w+)? SET|DELETE FROM|MERGE INTO)\b")
LAYERED = {name.rpartition(".")[2] for item in CONTRACTS for name in item.get("containers", [])}
BY_NOUNS = sorted(contexts() - LAYERED)


@cache
def modules(context: str) -> dict[str, Path]:
    """The modules of a context by dotted name below it."""
    root = CONTEXTS / context
    named = {".".join(path.relative_to(root).with_suffix("").parts): path for path in root.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in named.items() if name != "__init__"}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def kind_of(module: str) -> str | None:
    """`commands` of `accounts.commands`, `domain` of `rosters.domain.seats`; None beside the nouns."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def imports_at_start(path: Path, context: str) -> Iterator[str]:
    """What a module imports of its own context when it is imported, as dotted names below the context."""
    prefix = f"dataforge.contexts.{context}."
    for node in tree_of(path).body:
        if isinstance(node, ast.ImportFrom) and node.module and f"{node.module}.".startswith(prefix):
            below = node.module.removeprefix(prefix.rstrip(".")).lstrip(".")
            for alias in node.names:
                name = f"{below}.{alias.name}".lstrip(".")
                yield name if name in modules(context) else below


@pytest.mark.parametrize("context", BY_NOUNS)
def test_imports_go_inwards(context: str) -> None:
    wrong = []
    for module, path in modules(context).items():
        rank = RANKS.get(kind_of(module) or "")
        for imported in imports_at_start(path, context):
            other = RANKS.get(kind_of(imported) or "")
            inside_noun = module.split(".")[0] == imported.split(".")[0]
            same_package = module.split(".")[:2] == imported.split(".")[:2]
            if rank is None or other is None or same_package:
                continue
            if other > rank or (inside_noun and other == rank) or (other == rank == max(RANKS.values())):
                wrong.append(f"{module} imports {imported}")

    assert wrong == []


@pytest.mark.parametrize("context", BY_NOUNS)
def test_modules_form_no_circle(context: str) -> None:
    graph = {module: set(imports_at_start(path, context)) for module, path in modules(context).items()}

    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize("context", BY_NOUNS)
def test_write_sql_stands_in_repositories(context: str) -> None:
    wrong = []
    for module, path in modules(context).items():
        if kind_of(module) == "repository":
            continue
        for node in ast.walk(tree_of(path)):
            imported = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
            if imported and {alias.name for alias in node.names} & {"insert", "update", "delete", "merge"}:
                wrong.append(f"{module}:{node.lineno}")
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and WRITES.search(node.value):
                wrong.append(f"{module}:{node.lineno}")

    assert wrong == []


@pytest.mark.parametrize("context", BY_NOUNS)
def test_a_name_has_one_meaning(context: str) -> None:
    homes = defaultdict(list)
    for module, path in modules(context).items():
        if RANKS.get(kind_of(module) or "") == max(RANKS.values()):
            continue  # a route or consumer has the name of the command it runs
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
                homes[node.name].append(module)

    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    "statement", ["INSERT INTO a.b (c)", "UPDATE identity.users u SET x = 1", "DELETE FROM a", "UPDATE a.b SET c = 1"]
)
def test_the_check_sees_what_writes(statement: str) -> None:
    assert WRITES.search(statement)
