"""What request bodies of every context have in common."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator


class RequestModel(BaseModel):
    """A request body: unknown members are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class PartialUpdate(RequestModel):
    """A PATCH body: a member left out stays as it is; null clears what can be empty and is refused elsewhere."""

    clearable: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, values: Any) -> Any:  # noqa: ANN401 - the raw body
        if isinstance(values, dict):
            for name, value in values.items():
                if value is None and name in cls.model_fields and name not in cls.clearable:
                    message = f"{name} cannot be null; leave it out to keep it as it is"
                    raise ValueError(message)
        return values
