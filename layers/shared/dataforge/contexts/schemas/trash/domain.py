"""Rules of the trash: how long things are kept, and who may still ask for them."""

from datetime import datetime, timedelta
from uuid import UUID

from dataforge.contexts.schemas.plans.domain.trash import DAYS_KEPT
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text


class TrashItemNotFound(NotFound):
    """There is no such thing in the trash of this workspace."""

    code = "trash_item_not_found"


def missing_item(item_id: UUID) -> TrashItemNotFound:
    """What is said about something that is not in the trash, or not for the one who asks."""
    message = Text("There is no {item_id} in the trash of this workspace.", item_id=item_id)
    return TrashItemNotFound(message)


def kept_until(now: datetime) -> datetime:
    """When something that goes into the trash now is deleted for good."""
    return now + timedelta(days=DAYS_KEPT)
