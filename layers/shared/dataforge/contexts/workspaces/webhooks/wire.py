"""Wire models of webhooks."""

from pydantic import BaseModel

from dataforge.contexts.workspaces.webhooks.domain import Outcome


class WebhookSecretOut(BaseModel):
    """The secret, shown this once, and the address that the host of the repository sends to.

    GitHub, Gitea and Forgejo take it as the secret, GitLab as the signing token or, before 18.x, as the secret token.
    """

    secret: str
    url: str


class DeliveryOut(BaseModel):
    """What became of a delivery."""

    status: Outcome
