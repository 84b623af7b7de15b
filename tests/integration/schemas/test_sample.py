"""The sample of thirty tables: two versions with rows between, and back."""

from dataforge.contexts.schemas.plans.domain.changes import Risk
from infra.local.demo_schema import rows, version
from tests.builders.planned import Planned

COUNTED = """
SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM bookings), (SELECT count(*) FROM answers),
       (SELECT count(*) FROM visits), (SELECT count(*) FROM certificates), (SELECT max(number) FROM certificates)
"""


async def test_the_second_version_keeps_what_the_first_one_held_and_leads_back(planned: Planned) -> None:
    await planned.begin()
    first, second = version(1), version(2)
    await planned.deploy(first)
    await planned.sql(rows())
    counted = await planned.sql(COUNTED)
    mails = await planned.sql("SELECT id, mail::text FROM people ORDER BY id")
    asked = await planned.sql("SELECT id FROM bookings WHERE state = 'asked' ORDER BY id")

    plan = await planned.deploy(second)

    assert len(first["tables"]) == len(second["tables"]) == 30
    assert {item.object for item in plan.up if item.risk is Risk.DESTRUCTIVE} == {
        "table equipment",
        "enum course_level",
    }
    assert (await planned.plan(second)).up == ()
    assert await planned.sql(COUNTED) == counted
    assert await planned.sql("SELECT id, email::text FROM people ORDER BY id") == mails
    assert await planned.sql("SELECT id FROM bookings WHERE state = 'requested' ORDER BY id") == asked
    assert await planned.sql("SELECT DISTINCT level::text FROM courses ORDER BY 1") == [("advanced",), ("basic",)]
    assert await planned.sql("SELECT min(hired_on)::text, min(display_name) FROM people") == [
        ("2019-04-02", "Ada Number 10")
    ]
    await planned.run(plan.down)
    assert (await planned.schema()).fingerprint == plan.base_fingerprint
    assert await planned.sql(COUNTED) == counted
