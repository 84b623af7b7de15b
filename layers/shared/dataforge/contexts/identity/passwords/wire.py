"""Wire models of passwords."""

from typing import Annotated

from pydantic import Field

from dataforge.contexts.identity.accounts.domain import PASSWORD_MAX, PASSWORD_MIN
from dataforge.contexts.identity.accounts.wire import Email
from dataforge.contexts.identity.links.wire import LinkToken
from dataforge.http.wire import RequestModel

NewPassword = Annotated[str, Field(min_length=PASSWORD_MIN, max_length=PASSWORD_MAX, repr=False)]


class ResetRequestIn(RequestModel):
    """The address of an account whose password is forgotten."""

    email: Email


class ResetIn(RequestModel):
    """The token of the mailed link, and the password to set."""

    token: LinkToken
    password: NewPassword


class PasswordIn(RequestModel):
    """The present password and the one to set."""

    current_password: Annotated[str, Field(min_length=1, max_length=PASSWORD_MAX, repr=False)]
    password: NewPassword
