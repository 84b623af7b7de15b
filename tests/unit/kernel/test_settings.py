"""Which function is told what, and what it does not start without."""

import pytest
from pydantic import ValidationError

from dataforge.settings import (
    ApiSettings,
    DatasetsApiSettings,
    DatasetsSqlSettings,
    DeployerSettings,
    MaintenanceSettings,
    RemindersSettings,
    Settings,
    SettingsMissing,
    WorkerSettings,
    XapiSettings,
)
from infra.local.placeholders import NOWHERE

FUNCTIONS = [
    ApiSettings,
    DatasetsApiSettings,
    DatasetsSqlSettings,
    DeployerSettings,
    MaintenanceSettings,
    RemindersSettings,
    WorkerSettings,
    XapiSettings,
]


@pytest.mark.parametrize("settings", [DatasetsApiSettings, XapiSettings, WorkerSettings, DeployerSettings])
def test_functions_that_only_check_tokens_are_not_told_where_the_private_keys_are(settings: type[Settings]) -> None:
    assert "signing_keys_secret_arn" not in settings.model_fields


@pytest.mark.parametrize("settings", [ApiSettings, MaintenanceSettings])
def test_functions_that_sign_or_rotate_are(settings: type[Settings]) -> None:
    assert "signing_keys_secret_arn" in settings.model_fields


@pytest.mark.parametrize("settings", FUNCTIONS)
def test_a_function_starts_with_what_it_needs_and_names_all_that_is_missing(
    settings: type[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("MAIL_FROM", "DATABASE_URL"):
        monkeypatch.setenv(name, "")
    with pytest.raises(SettingsMissing) as missing:
        settings.from_environment()

    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MAIL_FROM", "no-reply@dataforge.example")
    settings.from_environment()

    assert [name for name in settings.required if name.upper() not in str(missing.value)] == []


@pytest.mark.parametrize("settings", FUNCTIONS)
def test_a_secret_without_an_address_is_no_database(settings: type[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("DATABASE_SECRET_ARN", "secret")
    with pytest.raises(SettingsMissing, match="DATABASE"):
        settings.from_environment()

    monkeypatch.setenv("DATABASE_HOST", "localhost")

    settings.from_environment()


def test_a_value_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGN_IN_TRIES", "none")

    with pytest.raises(ValidationError, match="sign_in_tries"):
        ApiSettings.from_environment()


def test_lists_of_every_part_are_read_in_a_function_that_has_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiSettings, "required", ())
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example, https://b.example")
    monkeypatch.setenv("TRUSTED_HOME_PAGES", "https://c.example,https://d.example")

    found = ApiSettings.from_environment()

    assert found.cors_origins == ("https://a.example", "https://b.example")
    assert found.trusted_home_pages == ("https://c.example", "https://d.example")
