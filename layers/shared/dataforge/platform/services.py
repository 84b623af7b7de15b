"""What every context is built on, and where each finds what it offers or needs."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote

from dataforge.kernel.clock import Clock, SystemClock

if TYPE_CHECKING:
    from uuid import UUID

    from pydantic import SecretStr

    from dataforge.kernel.paging import CursorSigner
    from dataforge.kernel.quotas import UploadLimits
    from dataforge.platform.aws.s3 import AsyncObjects
    from dataforge.platform.aws.secrets import SecretStore
    from dataforge.platform.aws.sqs import Queue
    from dataforge.platform.db.database import Database
    from dataforge.platform.db.roles import Login
    from dataforge.platform.db.unit_of_work import Uow
    from dataforge.platform.mail.senders import MailSender
    from dataforge.settings import DatabaseSettings, MailSettings, UploadSettings

Part = TypeVar("Part")
Factory = Callable[["Platform"], Any]

QUEUES = ("statements", "imports", "exports", "deployments", "jobs", "feedback")


class Platform:
    """The parts of one function that contexts share, each made when first used and then kept.

    `offers` says how to make what a contract promises (a Protocol); a context's own `Services` need no offer. `queues`
    and `dead_letter_queues` are those that the function may look at for its health.
    """

    def __init__(
        self,
        settings: Any,  # noqa: ANN401 - the settings model of the function
        *,
        offers: Mapping[type, Factory] | None = None,
        clock: Clock | None = None,
        pool_size: int = 1,
        queues: Sequence[str] = QUEUES,
        dead_letter_queues: Sequence[str] = QUEUES,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self._offers = dict(offers or {})
        self._parts: dict[type, Any] = {}
        self._pool_size = pool_size
        self._queues = queues
        self._dead_letter_queues = dead_letter_queues

    def get(self, kind: type[Part]) -> Part:
        """The one part of this kind: a context's `Services`, or what implements a Protocol of a contract."""
        if kind not in self._parts:
            self._parts[kind] = self._offers.get(kind, kind)(self)
        return cast("Part", self._parts[kind])

    def put(self, kind: type[Part], part: Part) -> None:
        """Use this part from now on."""
        self._parts[kind] = part

    @cached_property
    def secrets(self) -> "SecretStore":
        """Secrets Manager behind a cache."""
        from dataforge.platform.aws.secrets import SecretStore

        return SecretStore()

    @cached_property
    def database(self) -> "Database":
        """PostgreSQL."""
        from dataforge.platform.db.database import Database

        settings: DatabaseSettings = self.settings
        prepared = settings.database_prepared_statements
        return Database(self.database_url, pool_size=self._pool_size, prepared_statements=prepared)

    def database_url(self) -> str:
        """The database's URL, with credentials from Secrets Manager unless it is given whole."""
        settings: DatabaseSettings = self.settings
        return self.url_of_login(settings.database_url, settings.database_secret_arn)

    def url_of_login(self, url: "SecretStr | None", secret_arn: str | None) -> str:
        """The database's URL with a login of its own, which is in that URL or else in the secret."""
        settings: DatabaseSettings = self.settings
        if url is not None:
            return url.get_secret_value()
        secret = self.secrets.read(secret_arn or "")
        user, password = quote(secret["username"], safe=""), quote(secret["password"], safe="")
        host, port = settings.database_host or secret["host"], settings.database_port
        return (
            f"postgresql://{user}:{password}@{host}:{port}/{settings.database_name}?sslmode={settings.database_sslmode}"
        )

    def database_logins(self) -> "Mapping[str, Login]":
        """The logins that the deployer makes, by function."""
        from dataforge.platform.db.roles import logins_of

        return logins_of(self.settings.database_logins, self.secrets)

    @cached_property
    def cursors(self) -> "CursorSigner":
        """Signs list cursors with the application's key."""
        from dataforge.kernel.paging import CursorSigner

        return CursorSigner(self.secrets.read(self.settings.app_secret_arn)["cursor_key"].encode())

    @cached_property
    def request_key(self) -> bytes:
        """What requests with an Idempotency-Key are recognised by: by a plain hash passwords could be guessed."""
        secret = self.secrets.read(self.settings.app_secret_arn)["cursor_key"].encode()
        return hmac.digest(secret, b"idempotent request", "sha256")

    @cached_property
    def mailer(self) -> "MailSender":
        """Sends mail: through SES, or through the server that the settings name."""
        from dataforge.platform.mail.senders import SesSender, SmtpSender

        settings: MailSettings = self.settings
        if settings.smtp_url is None:
            return SesSender(settings.mail_from, settings.mail_configuration_set)
        return SmtpSender(settings.smtp_url.get_secret_value(), settings.mail_from)

    @cached_property
    def objects(self) -> "AsyncObjects":
        """The private bucket."""
        from dataforge.platform.aws.s3 import AsyncObjects

        return AsyncObjects(self.settings.data_bucket)

    @cached_property
    def upload_limits(self) -> "UploadLimits":
        """How much may be uploaded in a day."""
        from dataforge.kernel.quotas import UploadLimits

        settings: UploadSettings = self.settings
        return UploadLimits(
            settings.upload_bytes_per_person, settings.upload_bytes_per_dataset, settings.upload_files_a_day
        )

    def queue(self, name: str) -> "Queue":
        """The queue of that name (one of `QUEUES`)."""
        from dataforge.platform.aws.sqs import Queue

        return Queue(getattr(self.settings, f"{name}_queue_url"))

    async def send_job(self, job_id: "UUID") -> None:
        """Tell `worker` of a job in the shared table, after the transaction that has queued it."""
        from dataforge.platform.observability import logger

        try:
            await self.queue("jobs").send(f'{{"job_id": "{job_id}"}}')
        except Exception:  # noqa: BLE001 - the job is durable; maintenance sends its message within minutes
            logger.warning("job not queued yet, maintenance will do it", exc_info=True, job_id=str(job_id))

    async def health(self) -> dict[str, Any]:
        """What this function can see of what is behind it."""
        from dataforge.platform.health import check_health

        urls = {name: getattr(self.settings, f"{name}_queue_url", None) for name in self._queues}
        urls |= {f"{name}_dlq": getattr(self.settings, f"{name}_dlq_url", None) for name in self._dead_letter_queues}
        return await check_health(self.database, {name: url for name, url in urls.items() if url})


class Services:
    """The parts of one context: subclasses add theirs as cached properties, so that each is made when first used."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    @property
    def settings(self) -> Any:  # noqa: ANN401 - the settings model of the function
        """Settings of the function."""
        return self.platform.settings

    @property
    def database(self) -> "Database":
        """PostgreSQL."""
        return self.platform.database

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self.platform.clock

    def unit_of_work(self, kind: "type[Uow]") -> "Uow":
        """A unit of work of the system itself, for queues, schedules and operators."""
        return kind(self.database, clock=self.clock)
