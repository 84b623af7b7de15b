"""The import rules of the architecture, as import-linter contracts in pyproject.toml."""

import subprocess
import sys
import tomllib
from pathlib import Path

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
        env={"PYTHONPATH": str(ROOT / "layers" / "shared"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_every_context_has_its_layers_checked() -> None:
    checked = {name for item in CONTRACTS for name in item.get("containers", [])}

    assert checked == {f"dataforge.contexts.{name}" for name in contexts()}


def test_every_module_of_a_context_but_its_contract_is_protected() -> None:
    protected = {name for item in CONTRACTS if item["type"] == "protected" for name in item["protected_modules"]}
    modules = {
        f"dataforge.contexts.{context}.{path.stem}"
        for context in contexts() - {"operations"}
        for path in (CONTEXTS / context).iterdir()
        if path.stem not in ("__init__", "contract", "__pycache__")
    }

    assert protected == modules


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
