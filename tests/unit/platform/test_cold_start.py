"""The start of a function collects no garbage, and what it made is left out of later collections."""

import gc

import pytest

from dataforge.platform.cold_start import uncollected


@pytest.fixture(autouse=True)
def frozen_before() -> object:
    """What this process froze before goes back when the test is over."""
    yield
    gc.unfreeze()
    gc.enable()


def test_no_collection_runs_meanwhile_and_they_run_again_afterwards() -> None:
    gc.enable()
    with uncollected():
        assert not gc.isenabled()

    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_an_import_that_fails_leaves_collections_on() -> None:
    gc.enable()
    with pytest.raises(ImportError), uncollected():
        import no_such_module_of_ours  # type: ignore[import-not-found] # noqa: F401 - it must not be there

    assert gc.isenabled()


def test_one_within_another_leaves_the_end_to_the_outer() -> None:
    gc.enable()
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()

    assert gc.isenabled()


def test_what_was_off_stays_off() -> None:
    gc.disable()
    with uncollected():
        pass

    assert not gc.isenabled()
