"""Wire models of sign-in and its tokens."""

from typing import Annotated

from pydantic import BaseModel, Field

from dataforge.contexts.identity.accounts.domain import PASSWORD_MAX
from dataforge.contexts.identity.second_factor.wire import Code
from dataforge.http.wire import RequestModel


class LoginIn(RequestModel):
    """Username or e-mail address, and password; `code` of whoever has a second factor, or later with the challenge."""

    username: Annotated[str, Field(min_length=1, max_length=255)]
    password: Annotated[str, Field(min_length=1, max_length=PASSWORD_MAX, repr=False)]
    code: Annotated[str, Field(max_length=100, repr=False)] = ""


class ChallengeAnswerIn(RequestModel):
    """The challenge of a sign-in whose password was right, and a code of the app, or a recovery code."""

    challenge: Annotated[str, Field(min_length=1, max_length=200, repr=False)]
    code: Code


class RefreshIn(RequestModel):
    """A refresh token."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200, repr=False)]


class TokenOut(BaseModel):
    """An access token and the refresh token that continues the sign-in; `expires_in` in seconds."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
