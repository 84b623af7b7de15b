"""Wire models of sign-in and its tokens."""

from typing import Annotated

from pydantic import BaseModel, Field

from dataforge.contexts.identity.accounts.domain import PASSWORD_MAX
from dataforge.http.wire import RequestModel


class LoginIn(RequestModel):
    """Username or e-mail address, and password."""

    username: Annotated[str, Field(min_length=1, max_length=255)]
    password: Annotated[str, Field(min_length=1, max_length=PASSWORD_MAX, repr=False)]


class RefreshIn(RequestModel):
    """A refresh token."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200, repr=False)]


class TokenOut(BaseModel):
    """An access token and the refresh token that continues the sign-in; `expires_in` in seconds."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
