"""What the committed OpenAPI document takes away from clients of the last release: `python -m infra.openapi.breaking`.

`released.json` is the document of that release with its error codes. Whatever breaks is either undone, offered under a
new version of the API, or named with its reason in `accepted_breaks.toml` (`*` stands for any text); each reason is a
sentence of the CHANGELOG, so that readers of the release learn it. `--release` makes today's document the new baseline,
with nothing accepted any more, and belongs to the commit of a release.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from infra.openapi.fits import Comparison, Schema

HERE = Path(__file__).resolve().parent
RELEASED, CURRENT, ACCEPTED = HERE / "released.json", HERE / "openapi.json", HERE / "accepted_breaks.toml"
ERRORS = HERE.parents[1] / "layers" / "shared" / "dataforge" / "http" / "errors.json"
CHANGELOG = HERE.parents[1] / "CHANGELOG.md"
CODES = "x-error-codes"
Document = Mapping[str, Any]


def current() -> dict[str, Any]:
    """The committed document, with the status of every error code."""
    codes = {error["code"]: error["status"] for error in json.loads(ERRORS.read_text())}
    return {**json.loads(CURRENT.read_text()), CODES: codes}


def breaking_changes(before: Document, after: Document) -> list[str]:
    """One sentence for each change that a client of `before` can run into; none for what was only added."""
    lines: list[str] = []
    for path, operations in before["paths"].items():
        for method, old in operations.items():
            new = after["paths"].get(path, {}).get(method)
            name = f"{method.upper()} {path}"
            lines += [f"{name}: is gone"] if new is None else _operation(before, after, old, new, name)
    codes = after.get(CODES, {})
    for code, status in before.get(CODES, {}).items():
        if codes.get(code) != status:
            lines.append(f"error {code}: {'is gone' if code not in codes else f'has status {codes[code]} now'}")
    return list(dict.fromkeys(lines))


def _operation(before: Document, after: Document, old: Schema, new: Schema, name: str) -> Iterator[str]:
    request = Comparison(before, after, "request")
    yield from _name(old, new, name)
    yield from _parameters(request, old, new, name)
    yield from _body(request, old, new, name)
    yield from _responses(Comparison(before, after, "response"), old, new, name)
    demands = new.get("security", [])
    if demands and not all(known in demands for known in old.get("security", [{}])):
        yield f"{name}: asks for other credentials"


def _name(old: Schema, new: Schema, name: str) -> Iterator[str]:
    """Generated clients have a method of the operation's name; names that FastAPI made of the path were nobody's."""
    had, has = old.get("operationId", ""), new.get("operationId", "")
    method, _, path = name.partition(" ")
    if had and had != has and not had.endswith(re.sub(r"\W", "_", f"{path}_{method.lower()}")):
        yield f"{name}: operation {had} is called {has} now"


def _parameters(comparison: Comparison, old: Schema, new: Schema, name: str) -> Iterator[str]:
    had, has = ({(one["in"], one["name"]): one for one in side.get("parameters", ())} for side in (old, new))
    for key, parameter in had.items():
        label = f"{name}: {key[0]} parameter {key[1]}"
        if key not in has:
            yield f"{label}: is gone"
        else:
            yield from _prefixed(label, comparison.breaks(parameter["schema"], has[key]["schema"]))
    for key, parameter in has.items():
        if parameter.get("required") and not had.get(key, {}).get("required"):
            yield f"{name}: {key[0]} parameter {key[1]}: is required now"


def _body(comparison: Comparison, old: Schema, new: Schema, name: str) -> Iterator[str]:
    had, has = old.get("requestBody", {}), new.get("requestBody", {})
    if has.get("required") and not had.get("required"):
        yield f"{name}: a body is required now"
    yield from _contents(comparison, had, has, f"{name}: request")


def _responses(comparison: Comparison, old: Schema, new: Schema, name: str) -> Iterator[str]:
    for status, response in old["responses"].items():
        if status not in new["responses"]:
            yield f"{name}: response {status}: is gone"
        else:
            yield from _contents(comparison, response, new["responses"][status], f"{name}: response {status}")


def _contents(comparison: Comparison, old: Schema, new: Schema, label: str) -> Iterator[str]:
    has = new.get("content", {})
    for media_type, content in old.get("content", {}).items():
        if media_type not in has:
            yield f"{label}: {media_type} is gone"
        elif "schema" in content and "schema" in has[media_type]:
            yield from _prefixed(label, comparison.breaks(content["schema"], has[media_type]["schema"]))


def _prefixed(label: str, lines: list[str]) -> Iterator[str]:
    return (f"{label}{line}" if line.startswith(":") else f"{label} {line}" for line in lines)


def wrong_acceptances(breaks: list[str], accepted: Mapping[str, str], changelog: str) -> list[str]:
    """Breaks that nothing accepts, what is accepted and does not break, and reasons that the CHANGELOG lacks."""
    unreleased = " ".join(changelog.partition("## [Unreleased]")[2].partition("\n## [")[0].split())
    lines = [line for line in breaks if not any(_accepts(pattern, line) for pattern in accepted)]
    for pattern, reason in accepted.items():
        if not any(_accepts(pattern, line) for line in breaks):
            lines.append(f"{pattern} (accepted in {ACCEPTED.name}, but not so)")
        elif " ".join(reason.split()) not in unreleased:
            lines.append(f"{pattern} (accepted, but CHANGELOG.md does not say: {reason})")
    return lines


def _accepts(pattern: str, line: str) -> bool:
    # Only `*` is special: paths have brackets in them.
    return fnmatchcase(line, pattern.replace("[", "[[]").replace("?", "[?]"))


def main(*, release: bool) -> int:
    """Print what breaks and is not accepted, and what is accepted without need; returns the exit status."""
    accepted = tomllib.loads(ACCEPTED.read_text())
    breaks = breaking_changes(json.loads(RELEASED.read_text()), current())
    wrong = wrong_acceptances(breaks, accepted, CHANGELOG.read_text())
    for line in wrong:
        print(line)
    if release and not wrong:
        RELEASED.write_text(json.dumps(current(), indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        comments = [line for line in ACCEPTED.read_text().splitlines() if line.startswith("# ")]
        ACCEPTED.write_text("\n".join(comments[:2]) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(release="--release" in sys.argv))
