"""House rules of the repository that no linter knows."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from infra.local.layout import ROOT
from infra.packaging.lock import blocks

TOP_LEVEL = {
    *("functions", "layers", "infra", "migrations", "clients", "tests", "requirements", ".ci"),
    *("template.yaml", "samconfig.toml", "docker-compose.yml", "pyproject.toml", "Makefile"),
    *(
        "README.md",
        "CONTRIBUTING.md",
        "GLOSSARY.md",
        "CHANGELOG.md",
        "docs",
        "findings",
        "LICENSE",
        ".github",
        ".gitignore",
        ".gitattributes",
        ".dockerignore",
    ),
}
LOCKED = [*(ROOT / "requirements").glob("*.txt"), *(ROOT / "layers").glob("*/requirements.txt")]
# Where a checkout or a scratch file of one particular machine would live.
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:home/\w+|Users/\w+|root/|work/|tmp/\w+/)")
LONGEST_FILE = 450
LONGEST_HANDLER = 40


def committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def test_nothing_extra_stands_at_the_root() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in committed()}

    assert found <= TOP_LEVEL


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: str(path.relative_to(ROOT)))
def test_locked_requirements_are_hashed_and_name_no_index(path: Path) -> None:
    text = path.read_text()

    assert blocks(text)
    assert all("--hash=sha256:" in block for block in blocks(text).values())
    assert "://" not in text
    assert "index-url" not in text


def test_a_layer_repeats_nothing_of_the_shared_one() -> None:
    shared = set(blocks((ROOT / "layers" / "shared" / "requirements.txt").read_text()))

    for path in (ROOT / "layers").glob("*/requirements.txt"):
        if path.parent.name != "shared":
            assert not shared & set(blocks(path.read_text())), path.parent.name


def test_no_file_knows_a_path_of_one_machine() -> None:
    found = []
    for path in committed():
        if path.suffix in {".txt", ".json", ".csv", ".xlsx", ".parquet"} or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if MACHINE_PATH.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")

    assert found == []


@pytest.mark.parametrize("path", sorted((ROOT / "functions").glob("*/app.py")), ids=lambda path: path.parent.name)
def test_a_handler_is_short_and_wires_nothing(path: Path) -> None:
    text = path.read_text()

    assert len(text.splitlines()) <= LONGEST_HANDLER
    imports = [line for line in text.splitlines() if line.startswith(("import ", "from "))]
    assert imports
    assert all(line.startswith("from dataforge.bootstrap import") for line in imports)


def test_no_source_file_outgrows_a_screenful_of_screens() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in committed()
        if path.suffix == ".py"
        and "tests" not in path.parts
        and (lines := len(path.read_text().splitlines())) > LONGEST_FILE
    }

    assert too_long == {}


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    forbidden = re.compile(r"pytest\.(skip|xfail)|mark\.(skip|skipif|xfail)|\braise NotImplementedError|assert True\b")
    found = [
        str(path.relative_to(ROOT))
        for path in committed()
        if path.suffix == ".py" and path != Path(__file__) and forbidden.search(path.read_text())
    ]

    assert found == []


def test_every_exception_to_the_types_says_why() -> None:
    bare = re.compile(r"# type: ignore(?!\[[\w,-]+\]  # .)")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in committed()
        if path.suffix == ".py" and (path.parts[len(ROOT.parts)] != "tests" or "builders" in path.parts)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if bare.search(line)
    ]

    assert found == []


def test_compose_pins_its_images_and_starts_what_the_template_needs() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]

    images = {name: service["image"] for name, service in services.items() if "image" in service}
    assert images["postgres"].startswith("postgres:16.")
    assert images["localstack"] == "localstack/localstack:4.14.0"
    assert services["deploy"]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "localstack": {"condition": "service_healthy"},
    }
