"""Wherever a deployment is killed, the state is that before it or that after it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.local import snapshot
from infra.local.layout import StackDirectory, stack_in


@pytest.fixture
def stack(tmp_path: Path) -> StackDirectory:
    """A stack whose emulator has saved the state of a first deployment."""
    stack = stack_in(tmp_path / "stack")
    save(stack, "one")
    (stack.emulator / "objects").mkdir()
    (stack.emulator / "objects" / "chunk").write_text("data")
    snapshot.end(stack, "one")
    return stack


def save(stack: StackDirectory, word: str) -> None:
    """What a stop of the emulator does: each file of the state is replaced."""
    state = stack.emulator / "state"
    state.mkdir(parents=True, exist_ok=True)
    for name in ("lambda", "sqs"):
        partial = state / f"{name}.tmp"
        partial.write_text(word)
        partial.replace(state / f"{name}.json")


def found(stack: StackDirectory) -> tuple[str, str, str | None]:
    state = stack.emulator / "state"
    return (state / "lambda.json").read_text(), (state / "sqs.json").read_text(), snapshot.deployed(stack)


def half_saved(stack: StackDirectory) -> None:
    snapshot.begin(stack)
    (stack.emulator / "state" / "lambda.tmp").write_text("two")
    (stack.emulator / "state" / "lambda.tmp").replace(stack.emulator / "state" / "lambda.json")


def saved(stack: StackDirectory) -> None:
    snapshot.begin(stack)
    save(stack, "two")


def undone_halfway(stack: StackDirectory) -> None:
    saved(stack)
    shutil.rmtree(stack.emulator / "state")


@pytest.mark.parametrize("killed", [snapshot.begin, half_saved, saved, undone_halfway])
def test_a_deployment_killed_before_its_end_is_undone(
    killed: Callable[[StackDirectory], None], stack: StackDirectory
) -> None:
    killed(stack)
    assert snapshot.under_way(stack)

    snapshot.recover(stack)
    snapshot.recover(stack)

    assert found(stack) == ("one", "one", "one")
    assert (stack.emulator / "objects" / "chunk").read_text() == "data"


def test_a_deployment_killed_before_its_copy_was_whole_has_not_begun(stack: StackDirectory) -> None:
    (stack.emulator / "before.partial").mkdir()

    snapshot.recover(stack)
    snapshot.begin(stack)

    assert (stack.emulator / "before" / "lambda.json").read_text() == "one"


def test_a_deployment_killed_right_after_it_was_noted_stays(stack: StackDirectory) -> None:
    snapshot.begin(stack)
    save(stack, "two")
    stack.deployed_file.write_text(json.dumps({"fingerprint": "two"}))

    snapshot.recover(stack)

    assert found(stack) == ("two", "two", "two")
    assert not (stack.emulator / "before").exists()


def test_what_was_accepted_since_the_last_deployment_stays(stack: StackDirectory) -> None:
    save(stack, "later")

    snapshot.recover(stack)

    assert found(stack) == ("later", "later", "one")


def test_a_first_deployment_that_was_killed_leaves_nothing(tmp_path: Path) -> None:
    stack = stack_in(tmp_path / "stack")
    save(stack, "half")
    snapshot.begin(stack)

    snapshot.recover(stack)

    assert not (stack.emulator / "state").exists()
    assert snapshot.deployed(stack) is None
