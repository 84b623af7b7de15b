"""Wire models of sign-in providers, and of a person's ways to sign in."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from dataforge.http.wire import PartialUpdate, RequestModel
from dataforge.kernel.email import normal_email
from dataforge.kernel.texts import Text


def _domain(value: str) -> str:
    address = None if "@" in value else normal_email(f"somebody@{value}")
    if address is None:
        message = Text("must be the part of e-mail addresses behind @, such as example.org")
        raise ValueError(message)
    return address.partition("@")[2]


Line = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
Issuer = Annotated[
    str, Field(min_length=1, max_length=500, description="the provider's `issuer`, exactly as it says it")
]
ClientId = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$")]
ClientSecret = Annotated[
    str,
    Field(max_length=1000, pattern=r"^[\x20-\x7e]*$", description="never shown; empty: none, PKCE alone"),
]
Domain = Annotated[str, AfterValidator(_domain)]
Domains = Annotated[
    list[Domain], Field(max_length=100, description="domains whose e-mail addresses this provider gives out itself")
]
CreatesAccounts = Annotated[bool, Field(description="whether somebody without an account gets one, as a learner")]


class SignInProviderIn(RequestModel):
    """A provider of OpenID Connect that people may sign in with."""

    name: Line
    issuer: Issuer
    client_id: ClientId
    client_secret: Annotated[ClientSecret | None, Field(repr=False)] = None
    domains: Domains = []
    creates_accounts: CreatesAccounts = False
    enabled: bool = True


class SignInProviderPatch(PartialUpdate):
    """What is to change of a provider; without `client_secret` it keeps the one it has."""

    name: Line | None = None
    issuer: Issuer | None = None
    client_id: ClientId | None = None
    client_secret: Annotated[ClientSecret | None, Field(repr=False)] = None
    domains: Domains | None = None
    creates_accounts: CreatesAccounts | None = None
    enabled: bool | None = None


class SignInProviderOut(BaseModel):
    """A provider, without its secret."""

    id: UUID
    name: str
    issuer: str
    client_id: str
    has_secret: bool
    domains: list[str]
    creates_accounts: bool
    enabled: bool
    revision: int
    created_at: datetime
    updated_at: datetime


class SignInProviderList(BaseModel):
    """Every provider by name, 100 at most."""

    items: list[SignInProviderOut]


class ProviderCheckOut(BaseModel):
    """What a provider says of itself at this moment."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    names_itself: Annotated[bool, Field(description="in its answers (RFC 9207)")]


class LinkedIdentityOut(BaseModel):
    """A person at a provider who signs in to the account; `usable` while the provider is switched on."""

    id: UUID
    provider: str
    issuer: str
    label: str
    linked_at: datetime
    last_used_at: datetime | None
    usable: bool


class SignInMethods(BaseModel):
    """How one can sign in to one's account."""

    password: bool
    identities: list[LinkedIdentityOut]
