"""Known vulnerabilities of the locked packages: ``make audit``, a stage of ``make test``.

`pip-audit` asks PyPI where it can. Where it cannot (no network, a mirror without advisories) it would call every
package fine, so the answer is read package by package, and what it could not judge is held against a snapshot of the
PyPA advisory database in ``advisories.json``. Whatever neither covers is said. The snapshot holds the advisories of
the packages that were locked when it was made:

    git clone https://github.com/pypa/advisory-database
    python -m infra.packaging.audit --snapshot advisory-database
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from infra.packaging.lock import ROOT, pins
from packaging.version import Version

SNAPSHOT = Path(__file__).with_name("advisories.json")
IGNORED = Path(__file__).with_name("advisories_ignored.toml")
# The smallest comes first: whether its one package can be judged tells whether asking for the others makes sense.
LOCKED = tuple(ROOT / "requirements" / f"{name}.txt" for name in ("bootstrap", "emulator", "sam", "dev"))
_BUDGET_SECONDS = 120.0


@dataclass(frozen=True, order=True)
class Finding:
    """A locked version that an advisory names; `ids` are the advisory's own id and its aliases."""

    package: str
    version: str
    ids: tuple[str, ...]
    fixed_in: tuple[str, ...] = ()

    def __str__(self) -> str:
        remedy = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no fixed version is named"
        return f"{self.package} {self.version}: {' '.join(self.ids)} ({remedy})"


@dataclass
class Audit:
    """What was found, and which `name==version` nobody could judge."""

    findings: set[Finding] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)


def main() -> int:
    """Audit, or make the snapshot; status 1 for a vulnerability that is not on the list of ignored ones."""
    parser = argparse.ArgumentParser(prog="python -m infra.packaging.audit", description=__doc__)
    parser.add_argument("--snapshot", type=Path, metavar="CHECKOUT", help="write the snapshot from a checkout")
    checkout = parser.parse_args().snapshot
    if checkout is not None:
        SNAPSHOT.write_text(json.dumps(snapshot_of(checkout, _packages()), indent=1, sort_keys=True) + "\n")
        return 0
    ignored = ignored_advisories(IGNORED.read_text())
    audit = ask_index(LOCKED)
    snapshot = json.loads(SNAPSHOT.read_text())
    from_snapshot, unknown = check_snapshot(snapshot, audit.unanswered)
    known = audit.findings | from_snapshot
    open_findings = sorted(finding for finding in known if not ignored.keys() & set(finding.ids))
    print(coverage(audit, snapshot, unknown))
    for advisory, reason in sorted(ignored.items()):
        print(f"   ignored: {advisory}: {reason}")
    for finding in open_findings:
        print(f"   vulnerable: {finding}", file=sys.stderr)
    if open_findings:
        print(f"error: Upgrade these packages, or say in {IGNORED.relative_to(ROOT)} why not.", file=sys.stderr)
    return 1 if open_findings else 0


def coverage(audit: Audit, snapshot: Mapping[str, Any], unknown: Sequence[str]) -> str:
    """One line per source, and what no source covers, as text."""
    lines = [f"   {len(audit.asked) - len(audit.unanswered)} packages judged by PyPI's advisories of today"]
    if audit.unanswered:
        made, judged = snapshot["date"], len(audit.unanswered) - len(unknown)
        lines.append(f"   {judged} judged by the snapshot of {made} only: advisories published since are NOT covered")
    if unknown:
        lines.append(f"   {len(unknown)} NOT covered at all: {', '.join(unknown)}")
    return "\n".join(lines)


def ask_index(files: Sequence[Path], *, budget_seconds: float = _BUDGET_SECONDS) -> Audit:
    """Ask PyPI about every locked package, one file after the other until the time is up or nobody answers."""
    audit, deadline = Audit(), time.monotonic() + budget_seconds
    for file in files:
        locked = {f"{name}=={version}" for name, version in pins(file.read_text())}
        answered = audit.asked - audit.unanswered
        left = deadline - time.monotonic()
        audit.asked |= locked
        if (audit.unanswered and not answered) or left <= 0:
            audit.unanswered |= locked - answered
            continue
        findings, judged = read_answer(_pip_audit(file, left))
        audit.findings |= findings
        audit.unanswered = (audit.unanswered | locked) - judged - answered
    return audit


def _pip_audit(file: Path, seconds: float) -> str:
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--vulnerability-service",
        "pypi",
        "--format",
        "json",
        "--timeout",
        "5",
    ]
    command += ["--progress-spinner", "off", "--disable-pip", "--require-hashes", "--requirement", str(file)]
    try:
        # Status 1 means findings or no network: the answer tells which.
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False).stdout
    except subprocess.TimeoutExpired:
        return ""


def read_answer(text: str) -> tuple[set[Finding], set[str]]:
    """Findings and the `name==version` that were judged; a package that was skipped was not."""
    try:
        packages = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return set(), set()
    findings, judged = set[Finding](), set[str]()
    for package in packages:
        if "skip_reason" in package:
            continue
        judged.add(f"{package['name']}=={package['version']}")
        findings |= {
            Finding(package["name"], package["version"], (item["id"], *item["aliases"]), tuple(item["fix_versions"]))
            for item in package["vulns"]
        }
    return findings, judged


def check_snapshot(snapshot: Mapping[str, Any], packages: set[str]) -> tuple[set[Finding], list[str]]:
    """Findings of the snapshot among `name==version`, and those whose package it does not know."""
    findings, unknown = set[Finding](), list[str]()
    for package in sorted(packages):
        name, _, version = package.partition("==")
        advisories = snapshot["packages"].get(name)
        if advisories is None:
            unknown.append(package)
            continue
        for advisory in advisories:
            if affects(advisory, version):
                fixed = tuple(event["fixed"] for event in advisory["events"] if "fixed" in event)
                findings.add(Finding(name, version, (advisory["id"], *advisory["aliases"]), fixed))
    return findings, unknown


def affects(advisory: Mapping[str, Any], version: str) -> bool:
    """Whether a version is listed or lies in a range (OSV schema, `affected[].ranges[].events`)."""
    wanted = Version(version)
    if any(Version(listed) == wanted for listed in advisory["versions"]):
        return True
    inside = False
    for event in advisory["events"]:
        (kind, bound), *_ = event.items()
        at = Version(bound)
        if kind == "introduced" and wanted >= at:
            inside = True
        elif (kind == "fixed" and wanted >= at) or (kind == "last_affected" and wanted > at):
            inside = False
    return inside


def ignored_advisories(text: str) -> dict[str, str]:
    """Ids that are accepted and the reason of each; raises ValueError for one without a reason."""
    ignored = {}
    for entry in tomllib.loads(text).get("ignore", []):
        if not str(entry.get("reason", "")).strip():
            message = f"The ignored advisory {entry.get('id')!r} has no reason."
            raise ValueError(message)
        ignored[str(entry["id"])] = str(entry["reason"])
    return ignored


def _packages() -> set[str]:
    return {name for file in LOCKED for name, _ in pins(file.read_text())}


def snapshot_of(checkout: Path, names: set[str]) -> dict[str, Any]:
    """The advisories about some packages of a checkout of the PyPA advisory database (bare or not)."""
    commit, date = _git(checkout, "log", "-1", "--format=%H %cs").split()
    files = _git(checkout, "ls-tree", "-r", "--name-only", commit, "vulns/").splitlines()
    packages: dict[str, list[dict[str, Any]]] = {name: [] for name in sorted(names)}
    for file in files:
        name = file.split("/")[1]
        if name in packages:
            packages[name] += _advisories(name, yaml.safe_load(_git(checkout, "show", f"{commit}:{file}")))
    source = {"source": "https://github.com/pypa/advisory-database (CC BY 4.0)", "commit": commit, "date": date}
    return {**source, "packages": packages}


def _advisories(name: str, advisory: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if advisory.get("withdrawn"):
        return
    for affected in advisory["affected"]:
        if affected["package"]["name"] != name:
            continue
        events = [
            event for scope in affected.get("ranges", ()) if scope["type"] == "ECOSYSTEM" for event in scope["events"]
        ]
        versions = [] if events else affected.get("versions", [])
        yield {"id": advisory["id"], "aliases": advisory.get("aliases", []), "events": events, "versions": versions}


def _git(checkout: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(checkout), *arguments], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
