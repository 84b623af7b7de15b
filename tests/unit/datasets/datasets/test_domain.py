"""Access to datasets."""

from uuid import UUID, uuid4

import pytest

from dataforge.contexts.datasets.datasets.domain import (
    AccessTooLow,
    DatasetNotFound,
    Grant,
    LastDatasetAdmin,
    SubjectKind,
    check_access,
    check_an_administrator_remains,
    strongest,
)
from dataforge.kernel.access import Action, Kind, Level

DATASET = UUID(int=1)


class TestAccess:
    @pytest.mark.parametrize("held", list(Level))
    @pytest.mark.parametrize("needed", list(Level))
    def test_a_level_covers_itself_and_the_ones_before_it(self, held: Level, needed: Level) -> None:
        assert held.covers(needed) is (held.rank >= needed.rank)

    def test_the_strongest_grant_counts(self) -> None:
        assert strongest([Level.READ, Level.ADMIN, Level.WRITE]) is Level.ADMIN
        assert strongest([]) is None

    def test_no_access_looks_like_no_dataset(self) -> None:
        with pytest.raises(DatasetNotFound):
            check_access(None, Action.READ, Kind.DATASET, DATASET)

    def test_too_little_access_is_told(self) -> None:
        with pytest.raises(AccessTooLow) as refusal:
            check_access(Level.READ, Action.CHANGE, Kind.REF, DATASET)

        assert refusal.value.facts == {"required": "write", "held": "read"}

    def test_a_workspace_that_was_granted_it_is_no_administrator(self) -> None:
        with pytest.raises(LastDatasetAdmin):
            check_an_administrator_remains([Grant(SubjectKind.WORKSPACE, uuid4(), Level.ADMIN)])

    def test_a_dataset_of_a_workspace_has_its_owners(self) -> None:
        check_an_administrator_remains([], workspace_id=uuid4())
