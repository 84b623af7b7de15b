"""Which function is told what."""

import pytest

from dataforge.settings import (
    ApiSettings,
    DatasetsApiSettings,
    DeployerSettings,
    MaintenanceSettings,
    Settings,
    WorkerSettings,
    XapiSettings,
)


@pytest.mark.parametrize("settings", [DatasetsApiSettings, XapiSettings, WorkerSettings, DeployerSettings])
def test_functions_that_only_check_tokens_are_not_told_where_the_private_keys_are(settings: type[Settings]) -> None:
    assert "signing_keys_secret_arn" not in settings.model_fields


@pytest.mark.parametrize("settings", [ApiSettings, MaintenanceSettings])
def test_functions_that_sign_or_rotate_are(settings: type[Settings]) -> None:
    assert "signing_keys_secret_arn" in settings.model_fields
