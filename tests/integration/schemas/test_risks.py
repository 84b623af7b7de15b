"""Labelled changes: what a plan says of its risks is what an observer sees when it is run on rows."""

import pytest

from tests.builders.planned import Planned
from tests.builders.schema_risks import LABELS
from tests.builders.schema_risks.judge import judge


@pytest.mark.parametrize("name", LABELS)
async def test_a_risk_is_what_happens(planned: Planned, name: str) -> None:
    verdict = await judge(planned, LABELS[name])

    assert verdict.problems == []
