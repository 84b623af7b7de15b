"""Types of fields that requests and answers of several nouns have."""

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from dataforge.contexts.datasets.commits.domain import MAX_MESSAGE
from dataforge.kernel.texts import Text

SheetName = Annotated[str | None, Query(max_length=255, description="needed when the version has several sheets")]


def _not_blank(value: str) -> str:
    if not value.strip():
        message = Text("must not be blank")
        raise ValueError(message)
    return value


Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$"), AfterValidator(_not_blank)]
Description = Annotated[str, Field(max_length=10_000)]
RefName = Annotated[str, Field(min_length=1, max_length=100)]
Version = Annotated[str, Field(min_length=1, max_length=100, description="branch, tag or commit id")]
CommitId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Message = Annotated[str, Field(max_length=MAX_MESSAGE)]
Sheet = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
ColumnName = Annotated[str, Field(min_length=1, max_length=1000)]
Cells = dict[str, JsonValue]


class In(BaseModel):
    """A request body: unknown members are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid")


class ListOut(BaseModel):
    """What every page of a list has besides its rows."""

    limit: int
    next_cursor: str | None
    next: str | None
