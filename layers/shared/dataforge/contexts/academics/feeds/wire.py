"""Requests and answers about calendar feeds."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.contexts.academics.feeds.domain import NAME_MAX, FeedKind
from dataforge.contexts.academics.wire import In

FeedName = Annotated[str, Field(min_length=1, max_length=NAME_MAX, pattern=r"^[^\x00-\x1f\x7f]+$")]


class FeedIn(In):
    """A feed of one's own sections (`learner`), of what one teaches (`instructor`), or of a `section`.

    `name` says where it is for, "My phone".
    """

    kind: FeedKind
    name: FeedName
    section_id: UUID | None = None


class FeedOut(BaseModel):
    """A feed that is good; `hint` is how its secret ends, `last_read_at` is known to the minute."""

    id: UUID
    kind: FeedKind
    name: str
    section_id: UUID | None
    course_code: str | None
    section_code: str | None
    hint: str
    created_at: datetime
    last_read_at: datetime | None


class NewFeedOut(BaseModel):
    """A feed that was made: `address` is shown this once; a calendar subscribes to it."""

    id: UUID
    kind: FeedKind
    name: str
    section_id: UUID | None
    created_at: datetime
    address: str
