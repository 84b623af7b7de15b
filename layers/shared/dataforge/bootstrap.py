"""The composition root: the only place that turns settings into adapters and adapters into handlers.

Each `…_handler` function imports what its Lambda needs and nothing else; connections, secrets and clients are made at
first use, never here.
"""

import asyncio
import gc
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dataforge.bootstrap_datasets import DatasetServices
from dataforge.bootstrap_names import (
    API_OWNERS,
    DATASET_COMMANDS,
    DATASETS_OWNERS,
    DATASETS_PAGES,
    DEPLOYER_COMMANDS,
    HEALTH_COMMANDS,
    MAINTENANCE_COMMANDS,
    MAINTENANCE_JOBS,
    OUTBOX_SUBSCRIBERS,
)
from dataforge.kernel.clock import Clock, SystemClock
from dataforge.settings import (
    ApiSettings,
    DatabaseSettings,
    DatasetsApiSettings,
    DeployerSettings,
    EtlMode,
    MaintenanceSettings,
    TrySettings,
    UploadSettings,
    WorkerSettings,
    XapiSettings,
)

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Scope

    from dataforge.contexts.identity.accounts import SqlLearnerAccounts
    from dataforge.contexts.identity.contract import CredentialVerifier
    from dataforge.contexts.identity.credentials import CredentialPublisher
    from dataforge.contexts.identity.domain import TryLimits
    from dataforge.contexts.identity.tokens import PublicKeys, TokenSigner, TokenVerifier
    from dataforge.contexts.records.commands.accept import StatementAcceptor
    from dataforge.contexts.records.consumers import IncrementalEtl, StatementLoader
    from dataforge.contexts.records.domain.flat_rows import HomePages
    from dataforge.contexts.records.ports import KeptMessages
    from dataforge.contexts.records.repository.intake import SqlIntake
    from dataforge.http.app import DataForgeApp
    from dataforge.kernel.errors import DataForgeError
    from dataforge.kernel.paging import CursorSigner
    from dataforge.kernel.quotas import UploadLimits
    from dataforge.platform.aws.s3 import ObjectStore
    from dataforge.platform.aws.secrets import SecretStore
    from dataforge.platform.aws.ses import SesSender
    from dataforge.platform.aws.sqs import Queue
    from dataforge.platform.db.database import Database
    from dataforge.platform.db.roles import Login

Handler = Callable[[Any, Any], Any]

# Parts of the media types whose bodies are UTF-8 text; bytes that are none go out in Base64 all the same.
TEXT_MEDIA_TYPES = ("text/", "/json", "+json", "/xml", "+xml", "/javascript", "/x-ndjson", "/jsonl")

QUEUES = ("statements", "imports", "exports")


class Container(DatasetServices):
    """The services of one function, each made when first used and then kept."""

    jobs = MAINTENANCE_JOBS
    subscribers = OUTBOX_SUBSCRIBERS

    def __init__(
        self,
        settings: Any,  # noqa: ANN401 - one of the settings models
        *,
        clock: Clock | None = None,
        pool_size: int = 1,
        queues: Sequence[str] = QUEUES,
        dead_letter_queues: Sequence[str] = QUEUES,
    ) -> None:
        self.settings = settings
        self.queues = queues
        self.dead_letter_queues = dead_letter_queues
        self.pool_size = pool_size
        self.clock = clock or SystemClock()

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
        return Database(self.database_url, pool_size=self.pool_size, prepared_statements=prepared)

    def database_url(self) -> str:
        """The database's URL, with credentials from Secrets Manager unless it is given whole."""
        settings: DatabaseSettings = self.settings
        if settings.database_url is not None:
            return settings.database_url.get_secret_value()
        secret = self.secrets.read(settings.database_secret_arn or "")
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
    def mailer(self) -> "SesSender":
        """Sends mail."""
        from dataforge.platform.aws.ses import SesSender

        return SesSender(self.settings.mail_from)

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

        return TokenSigner(self.database, self.public_keys, self.secrets, self.settings, self.clock)

    @cached_property
    def upload_limits(self) -> "UploadLimits":
        """How much may be uploaded in a day."""
        from dataforge.kernel.quotas import UploadLimits

        settings: UploadSettings = self.settings
        return UploadLimits(
            settings.upload_bytes_per_person, settings.upload_bytes_per_dataset, settings.upload_files_a_day
        )

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
    def credentials(self) -> "CredentialVerifier":
        """Checks xAPI credentials without the database."""
        from dataforge.contexts.identity.credentials import CredentialDirectory

        return CredentialDirectory(self.settings.data_bucket)

    @property
    def learner_accounts(self) -> "type[SqlLearnerAccounts]":
        """Accounts of learners inside a caller's transaction."""
        from dataforge.contexts.identity.accounts import SqlLearnerAccounts

        return SqlLearnerAccounts

    @cached_property
    def objects(self) -> "ObjectStore":
        """The private bucket."""
        from dataforge.platform.aws.s3 import ObjectStore

        return ObjectStore(self.settings.data_bucket)

    @cached_property
    def statements_queue(self) -> "Queue":
        """Where accepted statements wait."""
        from dataforge.platform.aws.sqs import Queue

        return Queue(self.settings.statements_queue_url)

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
            bodies=self.objects,
            intake=self.intake,
            clock=self.clock,
            kept=self.kept_messages,
        )

    @cached_property
    def kept_messages(self) -> "KeptMessages | None":
        """Accepted messages that are kept until they are loaded; None where the queue forgets nothing."""
        from dataforge.contexts.records.repository.kept_messages import S3KeptMessages

        return S3KeptMessages(self.objects) if self.settings.keep_accepted else None

    @cached_property
    def statement_loader(self) -> "StatementLoader":
        """Lands statements; in incremental mode without flattening them."""
        from dataforge.contexts.identity.credentials import NotedCredentialUses
        from dataforge.contexts.records.consumers import StatementLoader

        flatten = self.settings.etl_mode is EtlMode.STREAMING
        return StatementLoader(
            self.database,
            self.objects,
            self.clock,
            flatten=flatten,
            kept=self.kept_messages,
            home_pages=self.home_pages,
            uses=NotedCredentialUses(self.database),
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

    async def health(self) -> dict[str, Any]:
        """What this function can see of what is behind it."""
        from dataforge.platform.health import check_health

        urls = {name: getattr(self.settings, f"{name}_queue_url", None) for name in self.queues}
        urls |= {f"{name}_dlq": getattr(self.settings, f"{name}_dlq_url", None) for name in self.dead_letter_queues}
        return await check_health(self.database, {name: url for name, url in urls.items() if url})


def own_event_loop() -> asyncio.AbstractEventLoop:
    """The one event loop of this worker: pooled connections belong to a loop and must find it again next time."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


def _problem_page(error: "DataForgeError", scope: "Scope") -> "Response":
    # Not before there is a problem to show: only functions with pages carry what makes them.
    from dataforge.web.problems import problem_page

    return problem_page(error, scope)


def api_app(container: Container) -> "tuple[DataForgeApp, ASGIApp]":
    """The REST API of all light contexts."""
    from dataforge.http.app import create_app

    return create_app(
        services=container,
        owners=API_OWNERS,
        cors_origins=container.settings.cors_origins,
        public_base_url=container.settings.public_base_url,
        title="DataForge API",
        problem_page=_problem_page,
    )


def datasets_app(container: Container, *, pages: bool = True) -> "tuple[DataForgeApp, ASGIApp]":
    """The REST API of the versioned datasets; what reads columnar data is imported with the first request."""
    from dataforge.http.app import create_app

    return create_app(
        services=container,
        owners={**DATASETS_OWNERS, **DATASETS_PAGES} if pages else DATASETS_OWNERS,
        cors_origins=container.settings.cors_origins,
        public_base_url=container.settings.public_base_url,
        title="DataForge datasets API",
        problem_page=_problem_page if pages else None,
    )


def http_handler(asgi: "ASGIApp") -> Handler:
    """A Lambda handler for an ASGI app behind API Gateway."""
    from mangum import Mangum

    own_event_loop()
    # What is not named here goes out in Base64, which API Gateway decodes for clients with a fitting Accept only.
    return Mangum(asgi, lifespan="off", text_mime_types=list(TEXT_MEDIA_TYPES))  # type: ignore[arg-type]  # Mangum wants a coroutine function, ASGI an awaitable


def api_handler() -> Handler:
    """The handler of the function `api`."""
    _, asgi = api_app(Container(ApiSettings.from_environment()))
    return http_handler(asgi)


def datasets_api_handler() -> Handler:
    """The handler of the function `datasets_api`."""
    # A request may read the version it works on while its transaction waits for a row.
    settings = DatasetsApiSettings.from_environment()
    container = Container(settings, pool_size=2, queues=("imports", "exports"), dead_letter_queues=())
    _, asgi = datasets_app(container)
    return http_handler(asgi)


def datasets_sql_handler() -> Handler:
    """The handler of the function `datasets_sql`: the same app, where DuckDB is on the path.

    The process that loads DuckDB starts ahead and beside us, so that the first statement need not wait for it.
    """
    from dataforge.contexts.datasets.sql.process import shared_engine

    shared_engine().start()
    container = Container(DatasetsApiSettings.from_environment(), pool_size=2, queues=(), dead_letter_queues=())
    _, asgi = datasets_app(container, pages=False)
    return http_handler(asgi)


def _command_handler(commands: Mapping[str, str], container: Container, *, default: str) -> Handler:
    from dataforge.events.commands import dispatch

    loop = own_event_loop()

    def handler(event: Any, _context: Any) -> Any:  # noqa: ANN401 - Lambda's signature
        return loop.run_until_complete(dispatch(event, commands, container, default=default))

    return handler


def maintenance_handler() -> Handler:
    """The handler of the function `maintenance`."""
    # A relay holds one connection while a subscriber uses another.
    container = Container(MaintenanceSettings.from_environment(), pool_size=3)
    return _command_handler(MAINTENANCE_COMMANDS, container, default="tick")


def schema_deployer_handler() -> Handler:
    """The handler of the function `schema_deployer`."""
    container = Container(DeployerSettings.from_environment(), queues=(), dead_letter_queues=())
    return _command_handler(DEPLOYER_COMMANDS, container, default="migrate")


def xapi_app(container: Container) -> "ASGIApp":
    """The xAPI resources."""
    from dataforge.contexts.records.xapi import create_xapi_app

    return create_xapi_app(container, public_base_url=container.settings.public_base_url)


def xapi_handler() -> Handler:
    """The handler of the function `xapi`."""
    seen = ("statements",)
    return http_handler(xapi_app(Container(XapiSettings.from_environment(), queues=seen, dead_letter_queues=seen)))


def xapi_etl_handler() -> Handler:
    """The handler of the function `xapi_etl`."""
    from dataforge.events.commands import dispatch
    from dataforge.events.sqs import batch_response, queue_records

    # A batch makes hundreds of thousands of objects and frees them all at once: with the default thresholds the
    # collector looks at them again and again for nothing, at half of the CPU time (infra/bench/etl.py).
    gc.set_threshold(50_000, 50, 100)
    container = Container(WorkerSettings.from_environment(), queues=("statements",), dead_letter_queues=())
    loop = own_event_loop()

    def handler(event: Any, _context: Any) -> Any:  # noqa: ANN401 - Lambda's signature
        if "command" in event:
            return loop.run_until_complete(dispatch(event, HEALTH_COMMANDS, container, default=""))
        failed = loop.run_until_complete(container.statement_loader.load(queue_records(event)))
        return batch_response(failed)

    return handler


def _message_handler(path: str, container: Container, commands: Mapping[str, str]) -> Handler:
    from dataforge.events.commands import dispatch, resolve

    loop = own_event_loop()
    handle = resolve(path)

    def handler(event: Any, _context: Any) -> Any:  # noqa: ANN401 - Lambda's signature
        if "command" in event:
            return loop.run_until_complete(dispatch(event, commands, container, default=""))
        return loop.run_until_complete(handle(event, container))

    return handler


def dataset_import_handler() -> Handler:
    """The handler of the function `dataset_import`."""
    # The heartbeat of a job uses one connection while the job reads with another.
    container = Container(WorkerSettings.from_environment(), pool_size=3, queues=("imports",), dead_letter_queues=())
    return _message_handler("dataforge.contexts.datasets.consumers:import_messages", container, DATASET_COMMANDS)


def dataset_export_handler() -> Handler:
    """The handler of the function `dataset_export`."""
    container = Container(WorkerSettings.from_environment(), pool_size=3, queues=("exports",), dead_letter_queues=())
    return _message_handler("dataforge.contexts.datasets.consumers:export_messages", container, HEALTH_COMMANDS)
