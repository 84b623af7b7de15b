"""How schemas are wired: their services, routes, queue and job."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.kernel.events import Event
from dataforge.platform.module import Consumer, Job, Module, Subscriber
from dataforge.platform.services import Services

if TYPE_CHECKING:
    from dataforge.contexts.schemas.deployments.execution import Deployer
    from dataforge.contexts.schemas.plans.planning import Deployed
    from dataforge.platform.aws.sqs import Queue
    from dataforge.platform.db.database import Database
    from dataforge.platform.ops import Ops
    from dataforge.platform.personal_data import PersonalData

SCHEMAS = "dataforge.contexts.schemas"


class SchemasServices(Services):
    """The parts of schemas."""

    @property
    def queue(self) -> "Queue":
        """What the deployer listens to."""
        return self.platform.queue("deployments")

    @cached_property
    def proofs(self) -> "Database":
        """The database for a login that may make schemas and sees no table of the platform: it runs what people wrote.

        Its settings are those of `ProofSettings`.
        """
        from dataforge.platform.db.database import Database

        url, secret_arn = self.settings.proof_database_url, self.settings.proof_database_secret_arn
        return Database(lambda: self.platform.url_of_login(url, secret_arn), application_name="dataforge-proof")

    @cached_property
    def deployed(self) -> "dict[UUID, Deployed]":
        """Documents that were read lately, by revision: a large one takes as long as planning."""
        return {}

    @cached_property
    def deployer(self) -> "Deployer":
        """Carries deployments out; only in `schema_deployer`, whose login may make roles."""
        from dataforge.contexts.schemas.deployments.execution import Deployer

        objects = self.platform.objects

        async def put(key: str, body: bytes) -> None:
            await objects.put(key, body, content_type="text/x-python")

        logins = self.platform.database_logins()
        readers = [logins["schema-proof"].name] if "schema-proof" in logins else []
        return Deployer(self.platform.database_url(), readers, put, self.clock)


def _deployments() -> Consumer[SchemasServices]:
    from dataforge.contexts.schemas.deployments.consumers import deployment_messages

    return deployment_messages


def _jobs() -> Mapping[str, Job[SchemasServices]]:
    from dataforge.contexts.schemas.deployments import consumers
    from dataforge.contexts.schemas.drift.consumers import announce_checks
    from dataforge.contexts.schemas.trash.consumers import announce_trash

    return {"schemas": consumers.resume_deployments, "schema_trash": announce_trash, "schema_drift": announce_checks}


def _subscribers() -> Mapping[type[Event], Sequence[Subscriber[SchemasServices]]]:
    from dataforge.contexts.schemas.deployments.consumers import end_schema

    return {WorkspaceDeleted: (end_schema,)}


def _personal_data() -> "PersonalData[SchemasServices]":
    from dataforge.contexts.schemas.personal_data import personal_data

    return personal_data()


def _ops() -> "Ops":
    from dataforge.contexts.schemas.ops import ops

    return ops()


MODULE = Module(
    name="schemas",
    services=SchemasServices,
    routers={"api": {"/api/schema": f"{SCHEMAS}.routes", "/ui/schemas": f"{SCHEMAS}.pages"}},
    consumers={"schema_deployer": _deployments},
    jobs=_jobs,
    subscribers=_subscribers,
    personal_data=_personal_data,
    ops=_ops,
)
