"""Wire models of RFC 6749 §4.4.2, §5.1 and §5.2."""

from typing import Literal

from pydantic import BaseModel


class TokenForm(BaseModel):
    """The form of a client; its key and secret are in it unless they are sent with HTTP Basic authentication."""

    grant_type: Literal["client_credentials"]
    client_id: str | None = None
    client_secret: str | None = None
    scope: str | None = None


class CredentialTokenOut(BaseModel):
    """An access token for `/xapi`."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str


class TokenRefusalOut(BaseModel):
    """Why there is none."""

    error: Literal["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"]
    error_description: str
