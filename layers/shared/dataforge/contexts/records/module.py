"""How records is wired: its services, and what they serve, hear and do."""

import gc
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from dataforge.contexts.identity.contract import CredentialUses, CredentialVerifier, LearnerDirectory
from dataforge.platform.module import Command, Consumer, Job, Module
from dataforge.platform.services import Services
from dataforge.settings import EtlMode

if TYPE_CHECKING:
    from dataforge.contexts.records.commands.accept import StatementAcceptor
    from dataforge.contexts.records.consumers import IncrementalEtl, StatementLoader
    from dataforge.contexts.records.domain.flat_rows import HomePages
    from dataforge.contexts.records.ports import KeptMessages
    from dataforge.contexts.records.repository.intake import SqlIntake
    from dataforge.platform.aws.sqs import Queue

ROUTES = "dataforge.contexts.records.routes"


class RecordsServices(Services):
    """The parts of records."""

    @cached_property
    def credentials(self) -> CredentialVerifier:
        """Checks xAPI credentials without the database."""
        return self.platform.get(CredentialVerifier)

    @cached_property
    def learners(self) -> LearnerDirectory:
        """Accounts of learners inside a transaction."""
        return self.platform.get(LearnerDirectory)

    @cached_property
    def statements_queue(self) -> "Queue":
        """Where accepted statements wait."""
        return self.platform.queue("statements")

    @cached_property
    def intake(self) -> "SqlIntake":
        """Ids and requests registered before the answer."""
        from dataforge.contexts.records.repository.intake import SqlIntake

        return SqlIntake(self.database)

    @cached_property
    def acceptor(self) -> "StatementAcceptor":
        """Accepts xAPI statements."""
        from dataforge.contexts.records.commands.accept import StatementAcceptor

        return StatementAcceptor(
            queue=self.statements_queue,
            bodies=self.platform.objects,
            intake=self.intake,
            clock=self.clock,
            kept=self.kept_messages,
        )

    @cached_property
    def kept_messages(self) -> "KeptMessages | None":
        """Accepted messages that are kept until they are loaded; None where the queue forgets nothing."""
        from dataforge.contexts.records.repository.kept_messages import S3KeptMessages

        return S3KeptMessages(self.platform.objects) if self.settings.keep_accepted else None

    @cached_property
    def statement_loader(self) -> "StatementLoader":
        """Loads statements; in incremental mode without flattening them."""
        from dataforge.contexts.records.consumers import StatementLoader

        return StatementLoader(
            self.database,
            self.platform.objects,
            self.clock,
            flatten=self.settings.etl_mode is EtlMode.STREAMING,
            kept=self.kept_messages,
            home_pages=self.home_pages,
            uses=self.platform.get(CredentialUses),
        )

    @cached_property
    def home_pages(self) -> "HomePages":
        """Whose account names are our people."""
        from dataforge.contexts.records.domain.flat_rows import HomePages

        return HomePages(self.settings.trusted_home_pages)

    @cached_property
    def incremental_etl(self) -> "IncrementalEtl":
        """Flattens what is not flat; in incremental mode it drains the queue too."""
        from dataforge.contexts.records.consumers import IncrementalEtl

        queue = self.statements_queue if self.settings.etl_mode is EtlMode.INCREMENTAL else None
        return IncrementalEtl(
            self.database, self.clock, home_pages=self.home_pages, loader=self.statement_loader, queue=queue
        )


def _operator_commands() -> Mapping[str, Command[RecordsServices]]:
    from dataforge.contexts.records import consumers

    return {"load_accepted": consumers.load_accepted}


def _load_statements() -> Consumer[RecordsServices]:
    from dataforge.contexts.records import consumers

    # A batch makes hundreds of thousands of objects and frees them all at once: with the default thresholds the
    # collector looks at them again and again for nothing, at half of the CPU time (infra/bench/etl.py).
    gc.set_threshold(50_000, 50, 100)
    return consumers.load_statements


def _jobs() -> Mapping[str, Job[RecordsServices]]:
    from dataforge.contexts.records import consumers

    return {"accepted": consumers.load_kept, "records": consumers.incremental_etl}


MODULE = Module(
    name="records",
    services=RecordsServices,
    routers={"api": dict.fromkeys(("/api/cohorts", "/api/lessons"), ROUTES)},
    commands={"maintenance": _operator_commands},
    consumers={"xapi_etl": _load_statements},
    jobs=_jobs,
)
