"""Wire models of conversion."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataforge.contexts.schemas.plans.wire import Target, WarningOut
from dataforge.contexts.schemas.sources.converting import Converted
from dataforge.http.wire import RequestModel
from dataforge.kernel.texts import Text

EXAMPLE_SQL = "CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL);"
EXAMPLE_DBML = "Table people {\n  id bigint [pk]\n  name text [not null]\n}\n"
SqlText = Annotated[
    str,
    Field(
        min_length=1, description="statements that make the schema, such as pg_dump writes them", examples=[EXAMPLE_SQL]
    ),
]
DbmlText = Annotated[str, Field(min_length=1, description="the schema in DBML", examples=[EXAMPLE_DBML])]


class ConvertIn(RequestModel):
    """A schema in one of three forms, as it would be in a workspace; exactly one is given."""

    # Places in the texts are given by line and column: nothing may be taken off their beginning.
    model_config = ConfigDict(str_strip_whitespace=False)

    workspace_id: UUID
    target: Target | None = None
    sql: SqlText | None = None
    dbml: DbmlText | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(item is not None for item in (self.target, self.sql, self.dbml)) != 1:
            message = Text("give exactly one of target, sql and dbml")
            raise ValueError(message)
        return self


class ConvertedOut(BaseModel):
    """The schema in the target format, and what was left out of the text or could not be said."""

    namespace: str
    fingerprint: str
    target: dict[str, Any]
    warnings: list[WarningOut]


def converted_out(converted: Converted, namespace: str) -> dict[str, Any]:
    """What was converted, for the wire."""
    return {
        "namespace": namespace,
        "fingerprint": converted.schema.fingerprint,
        "target": converted.target,
        "warnings": [
            {"code": item.rule, "object": item.place, "message": item.message, "blocking": False}
            for item in converted.warnings
        ],
    }
