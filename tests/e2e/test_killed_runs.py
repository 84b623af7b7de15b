"""`make run` killed at every step of a first start and while it runs, and run again (exhaustive: infra.local.kills)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.kills import MOMENTS, Moment, check, kill_at
from infra.local.layout import StackDirectory, stack_in
from infra.local.stack import reset

pytestmark = pytest.mark.build


@pytest.fixture(scope="module")
def killed_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackDirectory]:
    """A stack of its own; each test goes on from where the one before killed it."""
    stack = stack_in(Path(tmp_path_factory.mktemp("killed")) / "stack")
    yield stack
    reset(stack)


@pytest.mark.parametrize("moment", [moment for moment in MOMENTS if moment.in_tests], ids=lambda moment: moment.name)
def test_a_start_reaches_the_next_step_after_a_kill(moment: Moment, killed_stack: StackDirectory) -> None:
    kill_at(moment, killed_stack)


def test_a_start_after_all_these_kills_goes_to_the_end_and_serves(killed_stack: StackDirectory) -> None:
    check(killed_stack)
