"""Scopes of personal access tokens: what covers what."""

import pytest

from dataforge.kernel.scopes import AREAS, CALENDAR, EVERYTHING, EVERYTHING_READ, SCOPES, allows


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_covers_itself_and_all_covers_every_scope(scope: str) -> None:
    assert allows({scope}, scope)
    assert allows({EVERYTHING}, scope)


@pytest.mark.parametrize("area", AREAS)
def test_writing_an_area_includes_reading_it_and_not_the_other_way_round(area: str) -> None:
    assert allows({f"{area}:write"}, f"{area}:read")
    assert not allows({f"{area}:read"}, f"{area}:write")


@pytest.mark.parametrize("area", AREAS)
def test_reading_everything_writes_nothing(area: str) -> None:
    assert allows({EVERYTHING_READ}, f"{area}:read")
    assert not allows({EVERYTHING_READ}, f"{area}:write")


@pytest.mark.parametrize("granted", SCOPES)
@pytest.mark.parametrize("area", AREAS)
def test_a_scope_of_one_area_is_nothing_in_another(granted: str, area: str) -> None:
    other = granted.partition(":")[0] not in (area, EVERYTHING)

    assert not (other and (allows({granted}, f"{area}:read") or allows({granted}, f"{area}:write")))


def test_the_scope_of_a_calendar_is_for_nothing_else_and_no_scope_is_for_nothing() -> None:
    assert not any(allows({CALENDAR}, scope) for scope in SCOPES if scope != CALENDAR)
    assert not any(allows((), scope) for scope in SCOPES)
