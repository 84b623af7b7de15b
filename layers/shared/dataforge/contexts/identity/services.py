"""The parts of identity, each made when first used."""

from functools import cached_property
from typing import TYPE_CHECKING

from dataforge.platform.services import Services

if TYPE_CHECKING:
    from dataforge.contexts.identity.accounts.published import StoredPersonalClocks
    from dataforge.contexts.identity.accounts.repository import EmailDirectory
    from dataforge.contexts.identity.credential_tokens.access_tokens import CredentialTokens, CredentialTokenSigner
    from dataforge.contexts.identity.links.published import StoredAccountMails
    from dataforge.contexts.identity.links.tokens import LinkTokens
    from dataforge.contexts.identity.sessions.access_tokens import TokenSigner, TokenVerifier
    from dataforge.contexts.identity.sign_in.domain import TryLimits
    from dataforge.contexts.identity.signing_keys.private_keys import PrivateKeys
    from dataforge.contexts.identity.signing_keys.public_keys import PublicKeys
    from dataforge.contexts.identity.signing_keys.published import KeyPublisher
    from dataforge.contexts.identity.single_sign_on.browser_seals import BrowserSeals
    from dataforge.contexts.identity.single_sign_on.openid import OpenIdClient
    from dataforge.contexts.identity.tokens.published import StoredTokens
    from dataforge.contexts.identity.xapi_credentials.published import (
        CredentialDirectory,
        CredentialPublisher,
        StoredCredentialRefusals,
        StoredCredentialUses,
        StoredWorkspaceCredentials,
    )
    from dataforge.contexts.identity.xapi_credentials.queries import StoredCredentials
    from dataforge.contexts.identity.xapi_credentials.rates import StoredCredentialRates
    from dataforge.contexts.identity.xapi_credentials.session_credentials import PublishedSessionCredentials
    from dataforge.platform.sealing import SecretBox
    from dataforge.settings import TrySettings


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

        return TokenVerifier(self.database, self.public_keys, self.personal_tokens, self.settings, self.clock)

    @cached_property
    def personal_tokens(self) -> "StoredTokens":
        """Checks personal access tokens."""
        from dataforge.contexts.identity.tokens.published import StoredTokens

        return StoredTokens(self.database, self.clock)

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
    def key_publisher(self) -> "KeyPublisher":
        """Publishes public keys to where tokens of credentials are checked."""
        from dataforge.contexts.identity.signing_keys.published import KeyPublisher

        return KeyPublisher(self.database, self.public_keys, self.platform.objects)

    @cached_property
    def credential_token_signer(self) -> "CredentialTokenSigner":
        """Issues access tokens to xAPI credentials, where there are private keys."""
        from dataforge.contexts.identity.credential_tokens.access_tokens import CredentialTokenSigner

        return CredentialTokenSigner(self.private_keys, self.key_publisher, self.settings, self.clock)

    @cached_property
    def credential_tokens(self) -> "CredentialTokens":
        """Checks access tokens of xAPI credentials without the database."""
        from dataforge.contexts.identity.credential_tokens.access_tokens import CredentialTokens
        from dataforge.contexts.identity.signing_keys.published import PublishedKeys

        return CredentialTokens(PublishedKeys(self.settings.data_bucket), self.settings, self.clock)

    @cached_property
    def try_limits(self) -> "TryLimits":
        """How many tries a minute one address has."""
        from dataforge.contexts.identity.sign_in.domain import TryLimits

        settings: TrySettings = self.settings
        return TryLimits(
            settings.sign_in_tries,
            settings.sign_in_tries_per_name,
            settings.sign_up_tries,
            settings.refresh_tries,
            settings.reset_tries,
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

        return CredentialDirectory(self.settings.data_bucket, lambda: self.credential_tokens)

    @cached_property
    def credential_register(self) -> "StoredCredentials":
        """Knows xAPI credentials by their keys."""
        from dataforge.contexts.identity.xapi_credentials.queries import StoredCredentials

        return StoredCredentials(self.database)

    @cached_property
    def credential_uses(self) -> "StoredCredentialUses":
        """Notes when xAPI credentials were used."""
        from dataforge.contexts.identity.xapi_credentials.published import StoredCredentialUses

        return StoredCredentialUses(self.database)

    @cached_property
    def workspace_credentials(self) -> "StoredWorkspaceCredentials":
        """Ends the credentials of workspaces."""
        from dataforge.contexts.identity.xapi_credentials.published import StoredWorkspaceCredentials

        return StoredWorkspaceCredentials(self)

    @cached_property
    def credential_rates(self) -> "StoredCredentialRates":
        """Counts the requests of xAPI credentials that have a limit."""
        from dataforge.contexts.identity.xapi_credentials.rates import StoredCredentialRates

        return StoredCredentialRates(self.database, self.clock)

    @cached_property
    def credential_refusals(self) -> "StoredCredentialRefusals":
        """Keeps why xAPI credentials were last refused something."""
        from dataforge.contexts.identity.xapi_credentials.published import StoredCredentialRefusals

        return StoredCredentialRefusals(self.database, self.credentials)

    @cached_property
    def session_credentials(self) -> "PublishedSessionCredentials":
        """Gives course players their credentials."""
        from dataforge.contexts.identity.xapi_credentials.session_credentials import PublishedSessionCredentials

        return PublishedSessionCredentials(self.settings.data_bucket)

    @cached_property
    def learners(self) -> "EmailDirectory":
        """Accounts of learners inside a caller's transaction."""
        from dataforge.contexts.identity.accounts.repository import EmailDirectory

        return EmailDirectory()

    @cached_property
    def link_tokens(self) -> "LinkTokens":
        """Makes the secrets of mailed links."""
        from dataforge.contexts.identity.links.tokens import LinkTokens

        return LinkTokens(self.platform.secrets.read(self.settings.app_secret_arn)["cursor_key"].encode())

    @cached_property
    def secret_box(self) -> "SecretBox":
        """Encrypts the secrets of authenticator apps."""
        return self._box("dataforge second factors")

    @cached_property
    def provider_secrets(self) -> "SecretBox":
        """Encrypts what we prove ourselves with to sign-in providers."""
        return self._box("dataforge sign-in providers")

    @cached_property
    def browser_seals(self) -> "BrowserSeals":
        """Seals what a browser keeps on its way to a sign-in provider and back."""
        from dataforge.contexts.identity.single_sign_on.browser_seals import BrowserSeals

        return BrowserSeals(self._box("dataforge single sign-on"))

    @cached_property
    def openid(self) -> "OpenIdClient":
        """Asks sign-in providers."""
        from dataforge.contexts.identity.single_sign_on.openid import OpenIdClient

        return OpenIdClient(self.clock, private=self.settings.private_receivers)

    def _box(self, purpose: str) -> "SecretBox":
        from dataforge.platform.sealing import SecretBox

        key = self.platform.secrets.read(self.settings.app_secret_arn)["cursor_key"].encode()
        return SecretBox(key, purpose)

    @cached_property
    def personal_clocks(self) -> "StoredPersonalClocks":
        """Reads and changes when people are written to."""
        from dataforge.contexts.identity.accounts.published import StoredPersonalClocks

        return StoredPersonalClocks(self)

    @cached_property
    def account_mails(self) -> "StoredAccountMails":
        """Writes the mails about accounts."""
        from dataforge.contexts.identity.links.published import StoredAccountMails

        return StoredAccountMails(self)

    def page_address(self, path: str, **query: object) -> str:
        """The whole address of one of our pages, for a mail."""
        from dataforge.http.addresses import public_address

        return public_address(self.settings.public_base_url, path, **query)
