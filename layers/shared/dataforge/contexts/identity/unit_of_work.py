"""The unit of work of identity's commands."""

from dataforge.contexts.identity.accounts.repository import Users
from dataforge.contexts.identity.invitations.repository import Invitations
from dataforge.contexts.identity.links.repository import MailedLinks
from dataforge.contexts.identity.merges.repository import AccountMerges
from dataforge.contexts.identity.second_factor.repository import SecondFactors, SignInChallenges
from dataforge.contexts.identity.sessions.repository import RefreshTokens
from dataforge.contexts.identity.single_sign_on.repository import LinkedIdentities, SignInProviders
from dataforge.contexts.identity.tokens.repository import PersonalTokens
from dataforge.contexts.identity.xapi_credentials.repository import XapiCredentials
from dataforge.platform.db.throttle import Throttle
from dataforge.platform.jobs.shared import SharedJobsUnitOfWork
from dataforge.platform.plans.repository import Plans


class IdentityUnitOfWork(SharedJobsUnitOfWork):
    """A transaction with identity's repositories."""

    @property
    def users(self) -> Users:
        """People."""
        return Users(self.connection)

    @property
    def throttle(self) -> Throttle:
        """Budgets of tries."""
        return Throttle(self.connection, self.now)

    @property
    def refresh_tokens(self) -> RefreshTokens:
        """Refresh tokens."""
        return RefreshTokens(self.connection, self.now)

    @property
    def mailed_links(self) -> MailedLinks:
        """One-time links in mails."""
        return MailedLinks(self.connection, self.now)

    @property
    def account_merges(self) -> AccountMerges:
        """Accounts that became others'."""
        return AccountMerges(self.connection, self.now)

    @property
    def plans(self) -> Plans:
        """Plans that wait to be applied."""
        return Plans(self.connection)

    @property
    def invitations(self) -> Invitations:
        """Invitations into the organisation."""
        return Invitations(self.connection, self.now)

    @property
    def personal_tokens(self) -> PersonalTokens:
        """Personal access tokens."""
        return PersonalTokens(self.connection, self.now)

    @property
    def second_factors(self) -> SecondFactors:
        """Second factors and recovery codes."""
        return SecondFactors(self.connection, self.now)

    @property
    def sign_in_challenges(self) -> SignInChallenges:
        """Sign-ins that await a code."""
        return SignInChallenges(self.connection, self.now)

    @property
    def xapi_credentials(self) -> XapiCredentials:
        """xAPI credentials."""
        return XapiCredentials(self.connection)

    @property
    def sign_in_providers(self) -> SignInProviders:
        """Providers that people sign in with."""
        return SignInProviders(self.connection, self.now)

    @property
    def linked_identities(self) -> LinkedIdentities:
        """Whom providers' people are with us."""
        return LinkedIdentities(self.connection, self.now)
