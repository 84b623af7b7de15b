"""What a context gives to be mailed: a template of its own with its values, before anybody composes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class MailDraft:
    """A mail to one address; `user_id` is whose language and clock it is written in, where the address has a person."""

    template: str
    to: str
    values: Mapping[str, object] = field(repr=False)
    user_id: UUID | None = None
