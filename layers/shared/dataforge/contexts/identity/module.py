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
    from dataforge.contexts.identity.accounts import SqlLearnerDirectory
    from dataforge.contexts.identity.credentials import CredentialDirectory, CredentialPublisher, NotedCredentialUses
    from dataforge.contexts.identity.domain import TryLimits
    from dataforge.contexts.identity.tokens import PublicKeys, TokenSigner, TokenVerifier
    from dataforge.settings import TrySettings

ROUTES = "dataforge.contexts.identity.routes"
PAGES = "dataforge.contexts.identity.pages"


class IdentityServices(Services):
    """The parts of identity."""

    @cached_property
    def public_keys(self) -> "PublicKeys":
        """What access tokens are checked with."""
        from dataforge.contexts.identity.tokens import PublicKeys

        return PublicKeys(self.database, self.clock)

    @cached_property
    def authenticator(self) -> "TokenVerifier":
        """Checks access tokens."""
        from dataforge.contexts.identity.tokens import TokenVerifier

        return TokenVerifier(self.database, self.public_keys, self.settings, self.clock)

    @cached_property
    def token_signer(self) -> "TokenSigner":
        """Issues access tokens; only where the settings name the private keys (`api`, `maintenance`)."""
        from dataforge.contexts.identity.tokens import TokenSigner

        return TokenSigner(self.database, self.public_keys, self.platform.secrets, self.settings, self.clock)

    @cached_property
    def try_limits(self) -> "TryLimits":
        """How many tries a minute one address has."""
        from dataforge.contexts.identity.domain import TryLimits

        settings: TrySettings = self.settings
        return TryLimits(
            settings.sign_in_tries, settings.sign_in_tries_per_name, settings.sign_up_tries, settings.refresh_tries
        )

    @cached_property
    def credential_publisher(self) -> "CredentialPublisher":
        """Publishes xAPI credentials to where they are checked without the database."""
        from dataforge.contexts.identity.credentials import CredentialPublisher

        return CredentialPublisher(self.database, self.settings.data_bucket)

    @cached_property
    def credentials(self) -> "CredentialDirectory":
        """Checks xAPI credentials without the database."""
        from dataforge.contexts.identity.credentials import CredentialDirectory

        return CredentialDirectory(self.settings.data_bucket)

    @cached_property
    def credential_uses(self) -> "NotedCredentialUses":
        """Notes when xAPI credentials were used."""
        from dataforge.contexts.identity.credentials import NotedCredentialUses

        return NotedCredentialUses(self.database)

    @cached_property
    def learners(self) -> "SqlLearnerDirectory":
        """Accounts of learners inside a caller's transaction."""
        from dataforge.contexts.identity.accounts import SqlLearnerDirectory

        return SqlLearnerDirectory()


def _operator_commands() -> Mapping[str, Command[IdentityServices]]:
    from dataforge.contexts.identity import consumers

    return {
        "create_admin": consumers.create_admin,
        "ensure_admin": consumers.ensure_admin,
        "ensure_signing_key": consumers.ensure_signing_key,
        "create_xapi_credential": consumers.create_xapi_credential,
        "revoke_xapi_credential": consumers.revoke_xapi_credential,
        "rotate_signing_keys": consumers.rotate_signing_keys,
    }


def _jobs() -> Mapping[str, Job[IdentityServices]]:
    from dataforge.contexts.identity import consumers

    return {"identity": consumers.forget_expired}


def _subscribers() -> Mapping[type[Event], Sequence[Subscriber[IdentityServices]]]:
    from dataforge.contexts.identity import consumers

    return {XapiCredentialChanged: (consumers.publish_credential,)}


def _services(platform: Platform) -> IdentityServices:
    return platform.get(IdentityServices)


MODULE = Module(
    name="identity",
    services=IdentityServices,
    routers={
        "api": dict.fromkeys(
            ("/api/signup", "/api/auth", "/api/users", "/api/xapi-credentials", "/.well-known"), ROUTES
        )
        | dict.fromkeys(("/ui/sign-in", "/ui/sign-out", "/ui/renew"), PAGES)
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
