"""The import rules of the architecture, as import-linter contracts in pyproject.toml."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

from infra.local.layout import SOURCE_PATH

ROOT = Path(__file__).resolve().parents[2]
CONTEXTS = ROOT / "layers" / "shared" / "dataforge" / "contexts"
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def contexts() -> set[str]:
    return {path.parent.name for path in CONTEXTS.glob("*/__init__.py")}


def test_every_contract_is_kept() -> None:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"

    result = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=ROOT,
        env={"PYTHONPATH": SOURCE_PATH, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_every_context_has_its_layers_checked() -> None:
    checked = {name for item in CONTRACTS for name in item.get("containers", [])}

    # The others are by nouns, which test_nouns.py looks at.
    assert checked - {"versioned_tables"} <= {f"dataforge.contexts.{name}" for name in contexts()}


def test_a_context_is_reached_through_its_contract_only() -> None:
    reached = {
        f"{path.relative_to(CONTEXTS)} imports {name}"
        for context in contexts()
        for path in (CONTEXTS / context).rglob("*.py")
        for name in imported_names(path)
        if name.startswith("dataforge.contexts.")
        and name.split(".")[2] != context
        and name.split(".")[3:4] != ["contract"]
    }

    assert reached == set()


def test_only_the_composition_root_reaches_into_a_context() -> None:
    package = CONTEXTS.parent
    reached = {
        f"{path.relative_to(package)} imports {name}"
        for path in package.rglob("*.py")
        if CONTEXTS not in path.parents and path.name != "bootstrap.py"
        for name in imported_names(path)
        if name.startswith("dataforge.contexts")
    }

    assert reached == set()


def test_the_composition_root_names_contexts_only_where_a_function_is_theirs_alone() -> None:
    named = {
        name for name in imported_names(CONTEXTS.parent / "bootstrap.py") if name.startswith("dataforge.contexts.")
    }

    assert named == {"dataforge.contexts.lrs.xapi"}


def test_only_datasets_keeps_its_rows_in_versioned_tables() -> None:
    package = CONTEXTS.parent
    users = {
        path.relative_to(package).parts[:2]
        for path in package.rglob("*.py")
        if any(name.startswith("versioned_tables") for name in imported_names(path))
    }

    assert users == {("contexts", "datasets"), ("bootstrap.py",)}


def imported_names(path: Path) -> set[str]:
    """The modules that a file imports, wherever it does so."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if len(node.module.split(".")) == 3 and node.module.startswith("dataforge.contexts."):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
                found.discard(node.module)
    return found


def test_functions_import_only_the_composition_root() -> None:
    imports = {
        line
        for path in (ROOT / "functions").glob("*/app.py")
        for line in path.read_text().splitlines()
        if line.startswith(("import ", "from "))
    }

    assert {line for line in imports if not line.startswith("from dataforge.bootstrap import")} == set()


def test_handlers_stay_thin() -> None:
    long = {
        str(path): n for path in (ROOT / "functions").glob("*/app.py") if (n := len(path.read_text().splitlines())) > 40
    }

    assert long == {}
