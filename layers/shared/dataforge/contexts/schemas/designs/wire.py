"""Wire models of schemas as they are."""

from typing import Any

from pydantic import BaseModel


class SchemaOut(BaseModel):
    """The live schema of a workspace: its document in the target format, and its fingerprint."""

    namespace: str
    fingerprint: str
    target: dict[str, Any]
