"""How the record store is wired: its services, and what they serve, hear and do."""

import gc
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from dataforge.contexts.identity.contract import (
    AccountsMerged,
    CredentialRates,
    CredentialRefusals,
    CredentialRegister,
    CredentialUses,
    CredentialVerifier,
)
from dataforge.contexts.lrs.contract import (
    PEOPLE,
    LessonDirectory,
    PersonErasure,
    PlayerSessions,
    StatementMatching,
)
from dataforge.kernel.events import Event
from dataforge.platform.module import Command, Consumer, Job, JobKind, Module, Receiver, Subscriber
from dataforge.platform.services import Services
from dataforge.settings import EtlMode

if TYPE_CHECKING:
    from dataforge.contexts.lrs.attachments.store import AttachmentStore
    from dataforge.contexts.lrs.erasures.published import RecordErasures
    from dataforge.contexts.lrs.flat_rows.domain import HomePages
    from dataforge.contexts.lrs.forwarding.announcements import Announcer
    from dataforge.contexts.lrs.forwarding.deliverer import Deliverer
    from dataforge.contexts.lrs.load.consumers import StatementLoader
    from dataforge.contexts.lrs.maintenance.consumers import IncrementalEtl
    from dataforge.contexts.lrs.matching.repository import SqlStatementMatching
    from dataforge.contexts.lrs.quarantine.refusals import RefusalKeeper
    from dataforge.contexts.lrs.sessions.players import CoursePlayers
    from dataforge.contexts.lrs.statements.commands import StatementAcceptor
    from dataforge.contexts.lrs.statements.kept_messages import KeptMessages
    from dataforge.contexts.lrs.statements.repository import Intake
    from dataforge.platform.attributions import Attribution
    from dataforge.platform.aws.sqs import Queue
    from dataforge.platform.ops import Ops
    from dataforge.platform.personal_data import PersonalData
    from dataforge.platform.sealing import SecretBox


LRS = "dataforge.contexts.lrs"


class LrsServices(Services):
    """The parts of the record store."""

    @cached_property
    def credentials(self) -> CredentialVerifier:
        """Checks xAPI credentials without the database."""
        return self.platform.get(CredentialVerifier)

    @cached_property
    def rates(self) -> CredentialRates:
        """Counts the requests of credentials that have a limit."""
        return self.platform.get(CredentialRates)

    @cached_property
    def uses(self) -> CredentialUses:
        """Notes when credentials were used."""
        return self.platform.get(CredentialUses)

    @cached_property
    def refusals(self) -> CredentialRefusals:
        """Keeps why credentials were last refused something."""
        return self.platform.get(CredentialRefusals)

    @cached_property
    def credential_register(self) -> CredentialRegister:
        """Credentials by their keys, from the database."""
        return self.platform.get(CredentialRegister)

    @cached_property
    def refused_requests(self) -> "RefusalKeeper | None":
        """Keeps requests that were refused; None where that is switched off."""
        from dataforge.contexts.lrs.quarantine.refusals import RefusalKeeper

        return RefusalKeeper(self.database, self.platform.objects) if self.settings.keep_refused else None

    @cached_property
    def statements_queue(self) -> "Queue":
        """Where accepted statements wait."""
        return self.platform.queue("statements")

    @cached_property
    def intake(self) -> "Intake":
        """Ids and requests registered before the answer."""
        from dataforge.contexts.lrs.statements.repository import Intake

        return Intake(self.database)

    @cached_property
    def acceptor(self) -> "StatementAcceptor":
        """Accepts xAPI statements."""
        from dataforge.contexts.lrs.statements.commands import StatementAcceptor

        return StatementAcceptor(
            queue=self.statements_queue,
            bodies=self.platform.objects,
            attachments=self.attachments,
            intake=self.intake,
            clock=self.clock,
            kept=self.kept_messages,
        )

    @cached_property
    def attachments(self) -> "AttachmentStore":
        """The data of attachments."""
        from dataforge.contexts.lrs.attachments.store import AttachmentStore

        return AttachmentStore(self.platform.objects)

    @cached_property
    def players(self) -> "CoursePlayers":
        """Sessions of course players."""
        from dataforge.contexts.lrs.sessions.players import CoursePlayers

        return CoursePlayers(self)

    @cached_property
    def kept_messages(self) -> "KeptMessages | None":
        """Accepted messages that are kept until they are loaded; None where the queue forgets nothing."""
        from dataforge.contexts.lrs.statements.kept_messages import KeptMessages

        return KeptMessages(self.platform.objects) if self.settings.keep_accepted else None

    @cached_property
    def statement_loader(self) -> "StatementLoader":
        """Loads statements; in incremental mode without flattening them."""
        from dataforge.contexts.lrs.load.consumers import StatementLoader

        return StatementLoader(
            self.database,
            self.platform.objects,
            self.clock,
            flatten=self.settings.etl_mode is EtlMode.STREAMING,
            kept=self.kept_messages,
            home_pages=self.home_pages,
            lessons=self.platform.get(LessonDirectory),
            uses=self.uses,
            announcer=self.announcer,
        )

    @cached_property
    def announcer(self) -> "Announcer":
        """Tells `worker` of statements that were loaded."""
        from dataforge.contexts.lrs.forwarding.announcements import Announcer

        return Announcer(self.database, self.platform.queue("jobs"))

    @cached_property
    def deliverer(self) -> "Deliverer":
        """Sends statements to webhooks and other stores."""
        from dataforge.contexts.lrs.forwarding.deliverer import Deliverer

        return Deliverer(self)

    @cached_property
    def secret_box(self) -> "SecretBox":
        """Encrypts the secrets of subscriptions."""
        from dataforge.platform.sealing import SecretBox

        key = self.platform.secrets.read(self.settings.app_secret_arn)["cursor_key"].encode()
        return SecretBox(key, "dataforge subscriptions")

    @cached_property
    def home_pages(self) -> "HomePages":
        """Whose account names are our people."""
        from dataforge.contexts.lrs.flat_rows.domain import HomePages

        return HomePages((*self.settings.trusted_home_pages, PEOPLE))

    @cached_property
    def matching(self) -> "SqlStatementMatching":
        """Matches statements to what came after them."""
        from dataforge.contexts.lrs.matching.repository import SqlStatementMatching

        return SqlStatementMatching()

    @cached_property
    def erasures(self) -> "RecordErasures":
        """Takes people out of the store."""
        from dataforge.contexts.lrs.erasures.published import RecordErasures

        return RecordErasures(self.platform)

    @cached_property
    def incremental_etl(self) -> "IncrementalEtl":
        """Flattens what is not flat; in incremental mode it drains the queue too."""
        from dataforge.contexts.lrs.maintenance.consumers import IncrementalEtl

        return IncrementalEtl(
            self.database,
            self.clock,
            home_pages=self.home_pages,
            lessons=self.platform.get(LessonDirectory),
            matching=self.matching,
            loader=self.statement_loader,
            queue=self.statements_queue if self.settings.etl_mode is EtlMode.INCREMENTAL else None,
        )


def _operator_commands() -> Mapping[str, Command[LrsServices]]:
    from dataforge.contexts.lrs.load import consumers
    from dataforge.contexts.lrs.rebuild.consumers import rebuild

    return {"load_accepted": consumers.load_accepted, "rebuild": rebuild}


def _load_statements() -> Consumer[LrsServices]:
    from dataforge.contexts.lrs.load import consumers

    # A batch makes hundreds of thousands of objects and frees them all at once: with the default thresholds the
    # collector looks at them again and again for nothing, at half of the CPU time (infra/bench/etl.py).
    gc.set_threshold(50_000, 50, 100)
    return consumers.load_statements


def _jobs() -> Mapping[str, Job[LrsServices]]:
    from dataforge.contexts.lrs.bodies.consumers import keep_bodies
    from dataforge.contexts.lrs.forwarding.consumers import announce_due
    from dataforge.contexts.lrs.identifiers.consumers import follow_links
    from dataforge.contexts.lrs.load.consumers import load_kept
    from dataforge.contexts.lrs.maintenance.consumers import run_incremental_etl
    from dataforge.contexts.lrs.quarantine.consumers import forget_served
    from dataforge.contexts.lrs.rebuild.consumers import renew_old_rows
    from dataforge.contexts.lrs.sessions.consumers import maintain_sessions

    return {
        "accepted": load_kept,
        # Before `statements`: what a link no longer gives to anybody may be given by a rule of matching.
        "identifiers": follow_links,
        "statements": run_incremental_etl,
        "flat_rows": renew_old_rows,
        "bodies": keep_bodies,
        "quarantine": forget_served,
        "sessions": maintain_sessions,
        "subscriptions": announce_due,
    }


def _job_kinds() -> Mapping[str, JobKind[LrsServices]]:
    from dataforge.contexts.lrs.erasures import consumers as erasures
    from dataforge.contexts.lrs.exports import consumers as exports
    from dataforge.contexts.lrs.imports import consumers as imports
    from dataforge.contexts.lrs.purges import consumers as purges

    return {**imports.KINDS, **exports.KINDS, **purges.KINDS, **erasures.KINDS}


def _messages() -> Mapping[str, Receiver[LrsServices]]:
    from dataforge.contexts.lrs.forwarding import announcements, consumers

    return {announcements.MESSAGE: consumers.deliver_statements}


def _personal_data() -> "PersonalData[LrsServices]":
    from dataforge.contexts.lrs.personal_data import personal_data

    return personal_data()


def _subscribers() -> Mapping[type[Event], Sequence[Subscriber[LrsServices]]]:
    from dataforge.contexts.lrs.matching.consumers import follow_merge

    return {AccountsMerged: (follow_merge,)}


def _attribution() -> "Attribution[LrsServices]":
    from dataforge.contexts.lrs.attributions import STATEMENTS

    return STATEMENTS


def _ops() -> "Ops":
    from dataforge.contexts.lrs.ops import ops

    return ops()


MODULE = Module(
    name="lrs",
    services=LrsServices,
    routers={
        "api": {
            "/api/agent-identifiers": f"{LRS}.identifiers.routes",
            "/api/xapi/quarantine": f"{LRS}.quarantine.routes",
            "/api/xapi/imports": f"{LRS}.imports.routes",
            "/api/xapi/exports": f"{LRS}.exports.routes",
            "/api/xapi/erasures": f"{LRS}.erasures.routes",
            "/api/xapi/purges": f"{LRS}.purges.routes",
            "/api/xapi/subscriptions": f"{LRS}.forwarding.routes",
            "/ui/admin/quarantine": f"{LRS}.quarantine.pages",
            "/ui/admin/subscriptions": f"{LRS}.forwarding.pages",
            "/ui/admin/statements": f"{LRS}.search.pages",
            "/ui/test-etl-streaming": f"{LRS}.load.pages",
            "/ui/test-etl-incremental": f"{LRS}.load.pages",
        }
    },
    offers={
        StatementMatching: lambda platform: platform.get(LrsServices).matching,
        PersonErasure: lambda platform: platform.get(LrsServices).erasures,
        PlayerSessions: lambda platform: platform.get(LrsServices).players,
    },
    commands={"maintenance": _operator_commands},
    consumers={"xapi_etl": _load_statements},
    jobs=_jobs,
    subscribers=_subscribers,
    job_kinds=_job_kinds,
    messages=_messages,
    personal_data=_personal_data,
    attribution=_attribution,
    ops=_ops,
)
