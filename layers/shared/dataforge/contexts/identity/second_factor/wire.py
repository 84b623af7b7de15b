"""Wire models of the second factor."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from dataforge.contexts.identity.accounts.domain import PASSWORD_MAX
from dataforge.http.wire import RequestModel

Code = Annotated[str, Field(min_length=1, max_length=100, repr=False)]
PresentPassword = Annotated[str, Field(min_length=1, max_length=PASSWORD_MAX, repr=False)]


class SecondFactorOut(BaseModel):
    """Whether sign-ins need a code, since when, and how many recovery codes are left."""

    on: bool
    since: datetime | None
    recovery_codes_left: int


class BeginIn(RequestModel):
    """The present password."""

    password: PresentPassword


class CodeIn(RequestModel):
    """A code that the authenticator app shows."""

    code: Code


class ProofIn(RequestModel):
    """The present password and a code of the app, or a recovery code."""

    password: PresentPassword
    code: Code


class AppSecretOut(BaseModel):
    """The secret for the authenticator app, in base 32, and as the URI that its QR code holds; shown this once."""

    secret: str
    uri: str


class RecoveryCodesOut(BaseModel):
    """Codes that work once each in place of the app's; shown this once."""

    recovery_codes: list[str]
