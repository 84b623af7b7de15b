"""Settings: small parts, composed into one model per function, read from the environment when the function starts.

A variable is named like its field in capitals: `data_bucket` is `DATA_BUCKET`.
"""

import json
import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


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


class Settings(BaseModel):
    """A part: fields with defaults that are safe on a laptop."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def from_environment(cls) -> Self:
        """Read the fields from the environment; raises pydantic's ValidationError naming what is wrong."""
        given = {name: os.environ[name.upper()] for name in cls.model_fields if name.upper() in os.environ}
        return cls.model_validate(given)


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

    SES sends for verified addresses and domains only.
    """

    mail_from: str = "no-reply@dataforge.example"
    smtp_url: SecretStr | None = None

    @field_validator("smtp_url", mode="before")
    @classmethod
    def _empty_server_is_absent(cls, value: object) -> object:
        return value or None


class IntakeSettings(Settings):
    """Whether accepted statements are kept until they are loaded: only where the queue may forget them."""

    keep_accepted: bool = False


class EtlSettings(Settings):
    """`ETL_MODE`: streaming (alias stream) or incremental (alias batch)."""

    etl_mode: EtlMode = EtlMode.STREAMING
    # Home pages of xAPI accounts whose names are e-mail addresses or pseudonyms of our people.
    trusted_home_pages: tuple[str, ...] = ()

    @field_validator("trusted_home_pages", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("etl_mode", mode="before")
    @classmethod
    def _aliases(cls, value: object) -> object:
        return {"stream": "streaming", "batch": "incremental"}.get(str(value).lower(), value)


class DatasetsApiSettings(
    CommonSettings,
    DatabaseSettings,
    StorageSettings,
    QueueSettings,
    SecretSettings,
    TokenSettings,
    HttpSettings,
    UploadSettings,
):
    """The functions `datasets_api` and `datasets_sql`."""


class ApiSettings(DatasetsApiSettings, SigningSettings, TrySettings):
    """The function `api`."""


class XapiSettings(
    CommonSettings, DatabaseSettings, StorageSettings, QueueSettings, TokenSettings, HttpSettings, IntakeSettings
):
    """The function `xapi`."""


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
):
    """Functions behind queues: `xapi_etl`, `dataset_import`, `dataset_export`."""


class LinkSettings(Settings):
    """The address people use, stage included, for links in mails; see HttpSettings, where it may be left out."""

    public_base_url: str = ""


class RemindersSettings(CommonSettings, DatabaseSettings, QueueSettings, SecretSettings, MailSettings, LinkSettings):
    """The function `reminders`."""


class MaintenanceSettings(WorkerSettings, SigningSettings, LinkSettings):
    """The function `maintenance`: it makes administrators, rotates signing keys, and mails links to our pages."""


class DeployerSettings(CommonSettings, DatabaseSettings, StorageSettings, QueueSettings, SecretSettings):
    """The function `schema_deployer`; it alone has the login that owns the tables.

    `database_logins` maps functions to URLs with their logins, or to the secrets that hold them, as JSON.
    """

    database_logins: Mapping[str, str] = {}

    @field_validator("database_logins", mode="before")
    @classmethod
    def _json(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value
