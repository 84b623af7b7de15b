"""What the wire models of learning have in common."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from dataforge.kernel.text import composed_if_text

Line = Annotated[
    str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$"), BeforeValidator(composed_if_text)
]
Short = Annotated[str, Field(max_length=120, pattern=r"^[^\x00-\x1f]*$"), BeforeValidator(composed_if_text)]


class PageOut(BaseModel):
    """What every list has."""

    limit: int
    next_cursor: str | None
    next: str | None
