"""Wire models of preferences."""

from pydantic import BaseModel

from dataforge.http.wire import RequestModel


class PreferenceIn(RequestModel):
    """Whether one wants messages of a kind."""

    wanted: bool


class PreferenceOut(BaseModel):
    """A kind of message, and whether the person wants it; what is not `optional` cannot be turned off."""

    kind: str
    label: str
    optional: bool
    wanted: bool


class PreferenceList(BaseModel):
    """All kinds."""

    items: list[PreferenceOut]
