"""How identity is wired: its services, and what they serve, hear and do."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from dataforge.contexts.identity.contract import (
    CredentialUses,
    CredentialVerifier,
    LearnerDirectory,
    XapiCredentialChanged,
)
from dataforge.kernel.events import Event
from dataforge.kernel.principal import Authenticator
from dataforge.platform.module import Command, Job, Module, Subscriber
from dataforge.platform.services import Platform, Services

if TYPE_CHECKING:
    from dataforge.contexts.identity.accounts.repository import EmailDirectory
    from dataforge.contexts.identity.sessions.access_tokens import TokenSigner, TokenVerifier
    from dataforge.contexts.identity.sign_in.domain import TryLimits
    from dataforge.contexts.identity.signing_keys.private_keys import PrivateKeys
    from dataforge.contexts.identity.signing_keys.public_keys import PublicKeys
    from dataforge.contexts.identity.xapi_credentials.published import (
        CredentialDirectory,
        CredentialPublisher,
        StoredCredentialUses,
    )
    from dataforge.settings import TrySettings

IDENTITY = "dataforge.contexts.identity"


class IdentityServices(Services):
    """The parts of identity."""

    @cached_property
    def public_keys(self) -> "PublicKeys":
        """What access tokens are checked with."""
        from dataforge.contexts.identity.signing_keys.public_keys import PublicKeys

        return PublicKeys(self.database, self.clock)

    @cached_property
    def authenticator(self) -> "TokenVerifier":
        """Checks access tokens."""
        from dataforge.contexts.identity.sessions.access_tokens import TokenVerifier

        return TokenVerifier(self.database, self.public_keys, self.settings, self.clock)

    @cached_property
    def token_signer(self) -> "TokenSigner":
        """Issues access tokens, where there are private keys."""
        from dataforge.contexts.identity.sessions.access_tokens import TokenSigner

        return TokenSigner(self.private_keys, self.settings, self.clock)

    @cached_property
    def private_keys(self) -> "PrivateKeys":
        """What access tokens are signed with; only where the settings name it (`api`, `maintenance`)."""
        from dataforge.contexts.identity.signing_keys.private_keys import PrivateKeys

        return PrivateKeys(self.database, self.public_keys, self.platform.secrets, self.settings, self.clock)

    @cached_property
    def try_limits(self) -> "TryLimits":
        """How many tries a minute one address has."""
        from dataforge.contexts.identity.sign_in.domain import TryLimits

        settings: TrySettings = self.settings
        return TryLimits(
            settings.sign_in_tries, settings.sign_in_tries_per_name, settings.sign_up_tries, settings.refresh_tries
        )

    @cached_property
    def credential_publisher(self) -> "CredentialPublisher":
        """Publishes xAPI credentials to where they are checked without the database."""
        from dataforge.contexts.identity.xapi_credentials.published import CredentialPublisher

        return CredentialPublisher(self.database, self.settings.data_bucket)

    @cached_property
    def credentials(self) -> "CredentialDirectory":
        """Checks xAPI credentials without the database."""
        from dataforge.contexts.identity.xapi_credentials.published import CredentialDirectory

        return CredentialDirectory(self.settings.data_bucket)

    @cached_property
    def credential_uses(self) -> "StoredCredentialUses":
        """Notes when xAPI credentials were used."""
        from dataforge.contexts.identity.xapi_credentials.published import StoredCredentialUses

        return StoredCredentialUses(self.database)

    @cached_property
    def learners(self) -> "EmailDirectory":
        """Accounts of learners inside a caller's transaction."""
        from dataforge.contexts.identity.accounts.repository import EmailDirectory

        return EmailDirectory()


def _operator_commands() -> Mapping[str, Command[IdentityServices]]:
    from dataforge.contexts.identity.accounts import consumers as accounts
    from dataforge.contexts.identity.signing_keys import consumers as signing_keys
    from dataforge.contexts.identity.xapi_credentials import consumers as xapi_credentials

    return {
        "create_admin": accounts.create_admin,
        "ensure_admin": accounts.ensure_admin,
        "ensure_signing_key": signing_keys.ensure_signing_key,
        "create_xapi_credential": xapi_credentials.create_xapi_credential,
        "revoke_xapi_credential": xapi_credentials.revoke_xapi_credential,
        "rotate_signing_keys": signing_keys.rotate_signing_keys,
    }


def _jobs() -> Mapping[str, Job[IdentityServices]]:
    from dataforge.contexts.identity.sessions import consumers

    return {"identity": consumers.maintain}


def _subscribers() -> Mapping[type[Event], Sequence[Subscriber[IdentityServices]]]:
    from dataforge.contexts.identity.xapi_credentials import consumers

    return {XapiCredentialChanged: (consumers.publish_credential,)}


def _services(platform: Platform) -> IdentityServices:
    return platform.get(IdentityServices)


MODULE = Module(
    name="identity",
    services=IdentityServices,
    routers={
        "api": {
            "/api/signup": f"{IDENTITY}.accounts.routes",
            "/api/users": f"{IDENTITY}.accounts.routes",
            "/api/auth": f"{IDENTITY}.sign_in.routes",
            "/api/xapi-credentials": f"{IDENTITY}.xapi_credentials.routes",
            "/.well-known": f"{IDENTITY}.signing_keys.routes",
            "/ui/sign-in": f"{IDENTITY}.sign_in.pages",
            "/ui/sign-out": f"{IDENTITY}.sign_in.pages",
            "/ui/renew": f"{IDENTITY}.sign_in.pages",
        }
    },
    offers={
        Authenticator: lambda platform: _services(platform).authenticator,
        CredentialVerifier: lambda platform: _services(platform).credentials,
        CredentialUses: lambda platform: _services(platform).credential_uses,
        LearnerDirectory: lambda platform: _services(platform).learners,
    },
    commands={"maintenance": _operator_commands},
    jobs=_jobs,
    subscribers=_subscribers,
)
