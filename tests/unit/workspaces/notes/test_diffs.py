"""Differences of two texts: they lead from one to the other, and cost a bounded amount of work."""

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.workspaces.notes.domain.diffs import MAX_EDITS, LineKind, diff_lines, hunks, lines_of, unified

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "d"]), max_size=25).map("".join)


@given(LINES | st.text(), LINES | st.text())
def test_a_difference_leads_from_one_text_to_the_other(first: str, second: str) -> None:
    lines = diff_lines(first, second)

    assert "".join(line.text for line in lines if line.kind is not LineKind.ADDED) == first
    assert "".join(line.text for line in lines if line.kind is not LineKind.REMOVED) == second


@given(LINES, LINES)
def test_a_difference_is_the_shortest(first: str, second: str) -> None:
    changed = sum(line.kind is not LineKind.SAME for line in diff_lines(first, second))
    matcher = difflib.SequenceMatcher(None, lines_of(first), lines_of(second), autojunk=False)
    kept = sum(block.size for block in matcher.get_matching_blocks())

    assert changed <= len(lines_of(first)) + len(lines_of(second)) - 2 * kept


@given(LINES, LINES)
def test_hunks_hold_the_changes_at_their_lines(first: str, second: str) -> None:
    before, rebuilt, done = lines_of(first), [], 0
    for hunk in hunks(diff_lines(first, second)):
        old = [line.text for line in hunk.lines if line.kind is not LineKind.ADDED]
        begin = hunk.first_line - 1 if old else hunk.first_line
        assert before[begin : begin + len(old)] == old
        rebuilt += before[done:begin] + [line.text for line in hunk.lines if line.kind is not LineKind.REMOVED]
        done = begin + len(old)

    assert "".join(rebuilt + before[done:]) == second


def test_a_unified_difference_is_what_diff_writes() -> None:
    first = "".join(f"{number}\n" for number in range(1, 41))
    second = first.replace("10\n", "ten\n").replace("30\n", "") + "41"

    written = unified("a", "b", list(hunks(diff_lines(first, second))))

    assert written.splitlines()[:10] == [
        "--- a",
        "+++ b",
        "@@ -7,7 +7,7 @@",
        " 7",
        " 8",
        " 9",
        "-10",
        "+ten",
        " 11",
        " 12",
    ]
    expected = list(difflib.unified_diff(lines_of(first), lines_of(second), "a", "b"))
    assert [line for line in written.splitlines() if line[:2] != "\\ "] == [line.rstrip("\n") for line in expected]


def test_equal_texts_have_no_difference() -> None:
    assert list(hunks(diff_lines("a\nb", "a\nb"))) == []
    assert unified("a", "b", []) == ""


@pytest.mark.parametrize("repeated", ["x\n", ""])
def test_texts_that_differ_in_too_many_lines_are_replaced_as_a_whole(repeated: str) -> None:
    first = "begin\n" + "".join(f"{number}\n{repeated}" for number in range(MAX_EDITS)) + "end\n"
    second = "begin\n" + "".join(f"{number} more\n{repeated}" for number in range(MAX_EDITS)) + "end\n"

    lines = diff_lines(first, second)

    assert "".join(line.text for line in lines if line.kind is not LineKind.ADDED) == first
    assert "".join(line.text for line in lines if line.kind is not LineKind.REMOVED) == second
    assert (lines[0].kind, lines[-1].kind) == (LineKind.SAME, LineKind.SAME)
    assert lines[1].kind is LineKind.REMOVED
