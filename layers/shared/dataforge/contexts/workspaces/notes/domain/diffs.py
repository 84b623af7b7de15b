"""What differs between two texts, line by line (Myers 1986, "An O(ND) Difference Algorithm and Its Variations").

The work is bounded: where two texts differ in more lines than `MAX_EDITS`, what lies between their common beginning and
end is shown as removed and added as a whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_EDITS = 1_000
CONTEXT = 3  # equal lines that are shown around a change


class LineKind(StrEnum):
    """What became of a line."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line, with its end, of the first text, the second, or both."""

    kind: LineKind
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Changes close to each other; its lines begin at these line numbers, counted from 1, of the two texts.

    Where it has no line of a text, the number is that of the line before it, as in unified diffs.
    """

    first_line: int
    second_line: int
    lines: tuple[DiffLine, ...]

    def count(self, left_out: LineKind) -> int:
        """How many lines it has, without those of a kind."""
        return sum(line.kind is not left_out for line in self.lines)


def diff_lines(first: str, second: str) -> list[DiffLine]:
    """All lines of two texts in order, what was removed before what was added in its place."""
    before, after = lines_of(first), lines_of(second)
    begin = _common(before, after)
    end = _common(before[begin:][::-1], after[begin:][::-1])
    middle = _edits(before[begin : len(before) - end], after[begin : len(after) - end])
    same = LineKind.SAME
    head, tail = before[:begin], before[len(before) - end :]
    return [*(DiffLine(same, line) for line in head), *middle, *(DiffLine(same, line) for line in tail)]


def lines_of(text: str) -> list[str]:
    """The lines of a text with their ends; only line feeds end one, whatever else a text has in it."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def hunks(lines: Sequence[DiffLine]) -> Iterator[Hunk]:
    """The changes with `CONTEXT` equal lines around them."""
    changed = [place for place, line in enumerate(lines) if line.kind is not LineKind.SAME]
    groups: list[list[int]] = []
    for place in changed:
        if groups and place - groups[-1][1] <= 2 * CONTEXT:
            groups[-1][1] = place
        else:
            groups.append([place, place])
    first, second, done = 1, 1, 0
    for start, last in groups:
        begin, end = max(0, start - CONTEXT), last + CONTEXT + 1
        first += sum(line.kind is not LineKind.ADDED for line in lines[done:begin])
        second += sum(line.kind is not LineKind.REMOVED for line in lines[done:begin])
        hunk = Hunk(first, second, tuple(lines[begin:end]))
        counts = hunk.count(LineKind.ADDED), hunk.count(LineKind.REMOVED)
        yield Hunk(first - (counts[0] == 0), second - (counts[1] == 0), hunk.lines)
        first, second, done = first + counts[0], second + counts[1], begin + len(hunk.lines)


_SIGNS = {LineKind.SAME: " ", LineKind.REMOVED: "-", LineKind.ADDED: "+"}


def unified(first_name: str, second_name: str, changes: Sequence[Hunk]) -> str:
    """A unified diff, as `patch` reads it; empty for equal texts."""
    if not changes:
        return ""
    parts = [f"--- {first_name}\n+++ {second_name}\n"]
    for hunk in changes:
        removed, added = hunk.count(LineKind.ADDED), hunk.count(LineKind.REMOVED)
        parts.append(f"@@ -{hunk.first_line},{removed} +{hunk.second_line},{added} @@\n")
        for line in hunk.lines:
            ending = "" if line.text.endswith("\n") else "\n\\ No newline at end of file\n"
            parts.append(_SIGNS[line.kind] + line.text + ending)
    return "".join(parts)


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    length = 0
    for one, another in zip(before, after, strict=False):
        if one != another:
            break
        length += 1
    return length


def _edits(before: Sequence[str], after: Sequence[str]) -> list[DiffLine]:
    trace = _trace(before, after)
    if trace is None:
        removed = [DiffLine(LineKind.REMOVED, line) for line in before]
        return removed + [DiffLine(LineKind.ADDED, line) for line in after]
    lines: list[DiffLine] = []
    x, y = len(before), len(after)
    for distance in range(len(trace) - 1, -1, -1):
        reach, k = trace[distance], x - y
        down = k == -distance or (k != distance and reach.get(k - 1, -1) < reach.get(k + 1, -1))
        start_k = k + 1 if down else k - 1
        start_x = reach.get(start_k, 0) if distance else 0
        start_y = start_x - start_k if distance else 0
        while x > start_x and y > start_y:
            x, y = x - 1, y - 1
            lines.append(DiffLine(LineKind.SAME, before[x]))
        if distance == 0:
            break
        if down:
            y -= 1
            lines.append(DiffLine(LineKind.ADDED, after[y]))
        else:
            x -= 1
            lines.append(DiffLine(LineKind.REMOVED, before[x]))
    lines.reverse()
    return _removed_first(lines)


def _trace(before: Sequence[str], after: Sequence[str]) -> list[dict[int, int]] | None:
    """How far each diagonal reaches before each number of edits; None where more than MAX_EDITS are needed."""
    reach, trace = {1: 0}, []
    for distance in range(min(len(before) + len(after), MAX_EDITS) + 1):
        trace.append(dict(reach))
        for k in range(-distance, distance + 1, 2):
            if k == -distance or (k != distance and reach.get(k - 1, -1) < reach.get(k + 1, -1)):
                x = reach.get(k + 1, 0)
            else:
                x = reach.get(k - 1, 0) + 1
            while x < len(before) and x - k < len(after) and before[x] == after[x - k]:
                x += 1
            reach[k] = x
            if x >= len(before) and x - k >= len(after):
                return trace
    return None


def _removed_first(lines: Sequence[DiffLine]) -> list[DiffLine]:
    ordered: list[DiffLine] = []
    added: list[DiffLine] = []
    for line in lines:
        if line.kind is LineKind.ADDED:
            added.append(line)
            continue
        if line.kind is LineKind.SAME:
            ordered += added
            added = []
        ordered.append(line)
    return ordered + added
