"""What an import would do, and doing it."""

from pathlib import Path

import pytest

from dataforge_client import AsyncClient, Client, PlanStale

MARKS = b"student,mark\nN1,71\nN2,38\nN3,90\n"
LATER = b"student,mark,remark\nN1,71,\nN2,55,again\nN4,60,new\n"


def test_a_plan_changes_nothing_until_it_is_applied(client: Client) -> None:
    grades = client.datasets.create("Grades")
    grades.upload(MARKS, name="marks.csv", key=["student"])

    plan = grades.plan(LATER, name="later.csv", message="of June")

    (sheet,) = plan.sheets
    assert (sheet.inserted, sheet.updated, sheet.deleted, sheet.rows_after) == (1, 1, 1, 3)
    assert (plan.unchanged, plan.report["format"]) == (False, "csv")
    assert "+1 ~1 -1" in repr(plan)
    assert grades.to_pandas()["mark"].tolist() == [71, 38, 90]
    assert plan.apply().updated_ref == "main"
    assert grades.to_pandas()["mark"].tolist() == [71, 55, 60]
    assert next(iter(grades.log())).message == "of June"


def test_a_plan_that_somebody_overtook_is_stale(client: Client) -> None:
    grades = client.datasets.create("Grades")
    grades.upload(MARKS, name="marks.csv", key=["student"])
    plan = grades.plan(LATER, name="later.csv")
    grades.change([{"op": "delete", "key": {"student": "N3"}}], message="left")

    with pytest.raises(PlanStale):
        plan.apply()

    assert grades.to_pandas()["student"].tolist() == ["N1", "N2"]


async def test_a_large_file_is_planned_as_well(awaited: AsyncClient, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_text("n,text\n" + "".join(f"{n},{'x' * 40}\n" for n in range(110_000)))
    numbers = await awaited.datasets.create("Numbers")

    plan = await numbers.plan(path, key=["n"])
    made = await plan.apply()

    assert [sheet.inserted for sheet in plan.sheets] == [110_000]
    assert made.rows_processed == 110_000
