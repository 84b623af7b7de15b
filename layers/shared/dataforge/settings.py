"""Settings: small parts, composed into one model per function, read from the environment when the function starts.

A variable is named like its field in capitals: `data_bucket` is `DATA_BUCKET`.
"""

import json
import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from dataforge.kernel.texts import Text


class Environment(StrEnum):
    """Where the code runs."""

    LOCAL = "local"
    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


class EtlMode(StrEnum):
    """How statements reach the tables: as they arrive, or by the scheduled job only."""

    STREAMING = "streaming"
    INCREMENTAL = "incremental"


# What is required and has another name than its field.
_VARIABLES = {
    "database": "DATABASE_URL (or DATABASE_SECRET_ARN and DATABASE_HOST)",
    "proof_database": "PROOF_DATABASE_URL (or PROOF_DATABASE_SECRET_ARN)",
}


class SettingsMissing(ValueError):
    """The environment lacks variables that the function cannot do without."""


class Settings(BaseModel):
    """A part: fields with defaults that are safe on a laptop.

    `required` names what a deployed function cannot do without: it says so when it starts, not with the first message
    that needs it.
    """

    # A function has one of these models; the others are not built.
    model_config = ConfigDict(frozen=True, defer_build=True)
    required: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def from_environment(cls) -> Self:
        """Read the fields from the environment.

        Raises pydantic's ValidationError naming what is wrong, and SettingsMissing naming what is required and empty.
        """
        given = {name: os.environ[name.upper()] for name in cls.model_fields if name.upper() in os.environ}
        found = cls.model_validate(given)
        missing = [_VARIABLES.get(name, name.upper()) for name in cls.required if not getattr(found, name)]
        if missing:
            message = Text("{name} needs {missing} in the environment.", name=cls.__name__, missing=", ".join(missing))
            raise SettingsMissing(message)
        return found


class CommonSettings(Settings):
    """What every function has."""

    environment: Environment = Environment.LOCAL


class DatabaseSettings(Settings):
    """The function's own login from a secret, with the server's or the proxy's address; or a URL with everything.

    Prepared statements are for a direct connection; behind a pooler that shares connections they stay off.
    """

    database_url: SecretStr | None = None
    database_secret_arn: str | None = None
    database_host: str | None = None
    database_port: int = 5432
    database_name: str = "dataforge"
    database_sslmode: str = "require"
    database_prepared_statements: bool = False

    @field_validator("database_url", "database_secret_arn", "database_host", mode="before")
    @classmethod
    def _empty_is_absent(cls, value: object) -> object:
        # CloudFormation cannot leave a variable out on a condition without repeating the block; empty means absent.
        return value or None

    @property
    def database(self) -> bool:
        """Whether it is said where the database is: a URL, or a secret with the server's address."""
        return self.database_url is not None or bool(self.database_secret_arn and self.database_host)


class ProofSettings(Settings):
    """The login that plans of schemas are proved with, given like the function's own."""

    proof_database_url: SecretStr | None = None
    proof_database_secret_arn: str | None = None

    @field_validator("proof_database_url", "proof_database_secret_arn", mode="before")
    @classmethod
    def _empty_proof_is_absent(cls, value: object) -> object:
        return value or None

    @property
    def proof_database(self) -> bool:
        """Whether it is said which login that is."""
        return self.proof_database_url is not None or self.proof_database_secret_arn is not None


class StorageSettings(Settings):
    """The private bucket for credentials, large queue bodies, uploads, exports and chunks."""

    data_bucket: str = ""


class QueueSettings(Settings):
    """URLs of the queues."""

    statements_queue_url: str = ""
    statements_dlq_url: str = ""
    imports_queue_url: str = ""
    imports_dlq_url: str = ""
    exports_queue_url: str = ""
    exports_dlq_url: str = ""
    deployments_queue_url: str = ""
    deployments_dlq_url: str = ""
    jobs_queue_url: str = ""
    jobs_dlq_url: str = ""
    feedback_queue_url: str = ""
    feedback_dlq_url: str = ""


class SecretSettings(Settings):
    """Names of secrets; their values are fetched at first use and cached."""

    app_secret_arn: str = ""


class SigningSettings(Settings):
    """Where the private keys are that sign access tokens: only for functions that sign or rotate."""

    signing_keys_secret_arn: str = ""


class UploadSettings(Settings):
    """How much may be uploaded in a day (see kernel.quotas.UploadLimits)."""

    upload_bytes_per_person: int = Field(default=1024**4, ge=0)
    upload_bytes_per_dataset: int = Field(default=1024**4, ge=0)
    upload_files_a_day: int = Field(default=10_000, ge=0)


class TrySettings(Settings):
    """How many tries a minute one address has (see identity.domain.TryLimits)."""

    sign_in_tries: int = Field(default=60, ge=1)
    sign_in_tries_per_name: int = Field(default=10, ge=1)
    sign_up_tries: int = Field(default=60, ge=1)
    refresh_tries: int = Field(default=60, ge=1)
    reset_tries: int = Field(default=10, ge=1)


class TokenSettings(Settings):
    """How access and refresh tokens are made and checked."""

    jwt_issuer: str = "dataforge"
    jwt_audience: str = "dataforge-api"
    access_token_seconds: int = Field(default=900, ge=60, le=86_400)


class HttpSettings(Settings):
    """What the HTTP edge needs."""

    cors_origins: tuple[str, ...] = ()
    # The address people use, stage included; empty: the one of the request.
    public_base_url: str = ""

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class MailSettings(Settings):
    """Who mail comes from, and the server that takes it (see platform.mail.SmtpSender); without one it is SES.

    SES sends for verified addresses and domains only, and reports bounces where the configuration set says.
    """

    mail_from: str = "no-reply@dataforge.example"
    mail_configuration_set: str = ""
    smtp_url: SecretStr | None = None

    @field_validator("smtp_url", mode="before")
    @classmethod
    def _empty_server_is_absent(cls, value: object) -> object:
        return value or None


class IntakeSettings(Settings):
    """Whether accepted statements are kept until they are loaded: only where the queue may forget them."""

    keep_accepted: bool = False


class RefusalSettings(Settings):
    """Whether the bodies of refused xAPI requests are kept for their administrators, for 14 days."""

    keep_refused: bool = True


class ReceiverSettings(Settings):
    """Whether receivers of statements and sign-in providers may be on this machine, without TLS: on a laptop only."""

    private_receivers: bool = False


class RemoteSettings(Settings):
    """Hosts of remote repositories that are asked for their refs, separated by commas; empty: any public one.

    A host may be named with a port other than 443 (`git.example.org:8443`).
    """

    git_allowed_hosts: frozenset[str] = frozenset()

    @field_validator("git_allowed_hosts", mode="before")
    @classmethod
    def _host_names(cls, value: object) -> object:
        return {part.strip().lower() for part in value.split(",") if part.strip()} if isinstance(value, str) else value


class DraftSettings(Settings):
    """What drafts tutorials: our own extraction, or a model of Amazon Bedrock, which transcripts are then sent to.

    An empty `bedrock_endpoint_url` means AWS.
    """

    draft_engine: Literal["extractive", "bedrock"] = "extractive"
    bedrock_model_id: str = ""
    bedrock_endpoint_url: str = ""

    @model_validator(mode="after")
    def _model_is_named(self) -> Self:
        if self.draft_engine == "bedrock" and not self.bedrock_model_id:
            raise ValueError(Text("DRAFT_ENGINE is bedrock, and BEDROCK_MODEL_ID names no model."))
        return self


class EtlSettings(Settings):
    """`ETL_MODE`: streaming (alias stream) or incremental (alias batch)."""

    etl_mode: EtlMode = EtlMode.STREAMING
    # Home pages of xAPI accounts whose names are e-mail addresses or pseudonyms of our people.
    trusted_home_pages: tuple[str, ...] = ()

    @field_validator("trusted_home_pages", mode="before")
    @classmethod
    def _home_pages(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("etl_mode", mode="before")
    @classmethod
    def _aliases(cls, value: object) -> object:
        return {"stream": "streaming", "batch": "incremental"}.get(str(value).lower(), value)


class LakeSettings(Settings):
    """The catalog that versions are published in as Iceberg tables: Glue, tables of the database (`sql`), or none.

    `iceberg_namespaces` is what the namespaces of datasets begin with: different stacks of an account differ in it.
    Queries over published tables are run in `athena_workgroup`, by sessions of `athena_role_arn`; without, by nobody.
    """

    athena_workgroup: str = ""
    athena_role_arn: str = ""
    iceberg_catalog: Literal["none", "glue", "sql"] = "sql"
    iceberg_namespaces: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,99}$")] = "dataforge"


class DatasetsSqlSettings(
    CommonSettings,
    DatabaseSettings,
    StorageSettings,
    QueueSettings,
    SecretSettings,
    TokenSettings,
    HttpSettings,
    UploadSettings,
    LakeSettings,
):
    """The function `datasets_sql`, which queues nothing."""

    required: ClassVar[tuple[str, ...]] = ("database", "data_bucket", "app_secret_arn")


class DatasetsApiSettings(DatasetsSqlSettings):
    """The function `datasets_api`."""

    required: ClassVar[tuple[str, ...]] = (*DatasetsSqlSettings.required, "imports_queue_url", "exports_queue_url")


class ApiSettings(
    DatasetsApiSettings,
    SigningSettings,
    TrySettings,
    ProofSettings,
    IntakeSettings,
    RefusalSettings,
    EtlSettings,
    ReceiverSettings,
    RemoteSettings,
):
    """The function `api`; what it replays from quarantine goes the way of accepted statements."""

    required: ClassVar[tuple[str, ...]] = (
        *DatasetsSqlSettings.required,
        "signing_keys_secret_arn",
        "deployments_queue_url",
        "jobs_queue_url",
        "statements_queue_url",
        "proof_database",
    )


class XapiSettings(
    CommonSettings,
    DatabaseSettings,
    StorageSettings,
    QueueSettings,
    TokenSettings,
    HttpSettings,
    IntakeSettings,
    RefusalSettings,
):
    """The function `xapi`."""

    required: ClassVar[tuple[str, ...]] = ("database", "data_bucket", "statements_queue_url")


class WorkerSettings(
    CommonSettings,
    DatabaseSettings,
    StorageSettings,
    QueueSettings,
    SecretSettings,
    TokenSettings,
    MailSettings,
    EtlSettings,
    IntakeSettings,
    ReceiverSettings,
    LakeSettings,
):
    """Functions behind queues: `xapi_etl`, `dataset_import`, `dataset_export`."""

    required: ClassVar[tuple[str, ...]] = ("database", "data_bucket")


class JobSettings(WorkerSettings, RemoteSettings, DraftSettings):
    """The function `worker`: it sends itself the message of a job that has paused."""

    required: ClassVar[tuple[str, ...]] = (*WorkerSettings.required, "app_secret_arn", "jobs_queue_url")


class LinkSettings(Settings):
    """The address people use, stage included, for links in mails; see HttpSettings, where it may be left out."""

    public_base_url: str = ""


class RemindersSettings(CommonSettings, DatabaseSettings, QueueSettings, SecretSettings, MailSettings, LinkSettings):
    """The function `reminders`."""

    required: ClassVar[tuple[str, ...]] = ("database", "app_secret_arn", "mail_from", "public_base_url")


class NotifierSettings(CommonSettings, DatabaseSettings, QueueSettings):
    """The function `notifier`, which writes down what mail servers answer."""

    required: ClassVar[tuple[str, ...]] = ("database",)


class MaintenanceSettings(WorkerSettings, SigningSettings, LinkSettings):
    """The function `maintenance`: it makes administrators, rotates signing keys, and mails links to our pages."""

    required: ClassVar[tuple[str, ...]] = (
        "database", "data_bucket", "app_secret_arn", "signing_keys_secret_arn", "mail_from", "public_base_url",
        "statements_queue_url", "imports_queue_url", "exports_queue_url", "deployments_queue_url",
        "jobs_queue_url", "feedback_queue_url",
    )  # fmt: skip


class DeployerSettings(CommonSettings, DatabaseSettings, StorageSettings, QueueSettings, SecretSettings):
    """The function `schema_deployer`; it alone has the login that owns the tables.

    `database_logins` maps functions to URLs with their logins, or to the secrets that hold them, as JSON.
    """

    required: ClassVar[tuple[str, ...]] = ("database", "data_bucket")

    database_logins: Mapping[str, str] = {}

    @field_validator("database_logins", mode="before")
    @classmethod
    def _json(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value
