"""What the audit says about the locked packages, and that it never passes in silence."""

import json

import pytest

from infra.packaging.audit import (
    IGNORED,
    LOCKED,
    SNAPSHOT,
    Audit,
    Finding,
    affects,
    check_snapshot,
    coverage,
    ignored_advisories,
    read_answer,
)
from infra.packaging.lock import pins

SNAPSHOT_OF_ONE = {
    "date": "2024-10-10",
    "packages": {
        "jinja2": [
            {
                "id": "PYSEC-2021-66",
                "aliases": ["CVE-2020-28493"],
                "events": [{"introduced": "0"}, {"fixed": "2.11.3"}],
                "versions": [],
            }
        ]
    },
}


def advisory(*events: dict[str, str], versions: tuple[str, ...] = ()) -> dict[str, object]:
    return {"id": "X-1", "aliases": [], "events": list(events), "versions": list(versions)}


@pytest.mark.parametrize(
    ("version", "expected"),
    [("0.9", False), ("1.0", True), ("1.9.9", True), ("1.10", True), ("2.0rc1", True), ("2.0", False), ("3.1", True)],
)
def test_a_version_is_affected_from_introduced_on_and_before_fixed(version: str, expected: bool) -> None:
    ranges = advisory({"introduced": "1.0"}, {"fixed": "2.0"}, {"introduced": "3.0"})

    assert affects(ranges, version) is expected


def test_last_affected_is_affected_and_listed_versions_are_compared_as_versions() -> None:
    assert affects(advisory({"introduced": "0"}, {"last_affected": "1.5"}), "1.5")
    assert not affects(advisory({"introduced": "0"}, {"last_affected": "1.5"}), "1.5.1")
    assert affects(advisory(versions=("1.0",)), "1.0.0")


def test_a_vulnerable_version_is_found_in_the_snapshot_with_its_aliases_and_the_remedy() -> None:
    findings, unknown = check_snapshot(SNAPSHOT_OF_ONE, {"jinja2==2.4.1", "newcomer==1.0"})

    assert findings == {Finding("jinja2", "2.4.1", ("PYSEC-2021-66", "CVE-2020-28493"), ("2.11.3",))}
    assert unknown == ["newcomer==1.0"]


def test_a_package_the_index_skipped_was_not_judged() -> None:
    answer = {
        "dependencies": [
            {"name": "uv", "skip_reason": "Dependency not found on PyPI and could not be audited: uv (0.13.8)"},
            {"name": "jinja2", "version": "3.1.6", "vulns": []},
            {
                "name": "old",
                "version": "1",
                "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2"], "description": ""}],
            },
        ]
    }

    findings, judged = read_answer(json.dumps(answer))

    assert judged == {"jinja2==3.1.6", "old==1"}
    assert findings == {Finding("old", "1", ("PYSEC-1", "CVE-1"), ("2",))}
    assert read_answer("") == (set(), set())


def test_what_is_not_covered_is_said() -> None:
    audit = Audit(asked={"a==1", "b==1", "c==1"}, unanswered={"b==1", "c==1"})

    said = coverage(audit, SNAPSHOT_OF_ONE, ["c==1"])

    assert "1 packages judged by PyPI" in said
    assert "1 judged by the snapshot of 2024-10-10 only: advisories published since are NOT covered" in said
    assert "1 NOT covered at all: c==1" in said


def test_an_ignored_advisory_has_a_reason() -> None:
    assert ignored_advisories('[[ignore]]\nid = "X-1"\nreason = "Not imported."') == {"X-1": "Not imported."}
    with pytest.raises(ValueError, match="X-1"):
        ignored_advisories('[[ignore]]\nid = "X-1"')
    ignored_advisories(IGNORED.read_text())


def test_both_versions_of_a_project_that_markers_choose_between_are_pinned() -> None:
    text = "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:0\nnumpy==2.5.5 \\\nFoo_Bar==1\n"

    assert pins(text) == {("numpy", "2.4.6"), ("numpy", "2.5.5"), ("foo-bar", "1")}


def test_the_snapshot_tells_its_date_and_finds_nothing_in_what_is_locked() -> None:
    snapshot = json.loads(SNAPSHOT.read_text())
    locked = {f"{name}=={version}" for file in LOCKED for name, version in pins(file.read_text())}
    ignored = ignored_advisories(IGNORED.read_text())

    findings, _ = check_snapshot(snapshot, locked)

    assert snapshot["date"] >= "2024-10-10"
    assert [finding for finding in findings if not ignored.keys() & set(finding.ids)] == []
