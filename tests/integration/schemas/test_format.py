"""The JSON Schema of targets as it is served, and that the live schema is told in it."""

from jsonschema import Draft202012Validator

from dataforge.contexts.schemas.designs.domain.writing import to_document
from dataforge.contexts.schemas.designs.queries import read_schema
from tests.builders.api import ApiUnderTest
from tests.builders.planned import Planned
from tests.builders.schema_cases import CASES


async def test_editors_get_the_format_without_signing_in(api: ApiUnderTest) -> None:
    answer = await (await api.client()).get("/api/schema/format")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/schema+json"
    Draft202012Validator.check_schema(answer.json())


async def test_whatever_is_live_is_told_in_the_format(api: ApiUnderTest, planned: Planned) -> None:
    validator = Draft202012Validator((await (await api.client()).get("/api/schema/format")).json())
    starts = {name: case.before for name, case in CASES.items() if isinstance(case.before, str)}

    wrong = {}
    for name, sql in starts.items():
        await planned.begin()
        await planned.sql(sql)
        document = to_document(await read_schema(planned.connection, planned.namespace), planned.namespace)
        await planned.connection.rollback()
        wrong[name] = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]

    assert len(starts) > 20
    assert {name: errors for name, errors in wrong.items() if errors} == {}
