"""Where a client finds its server, and who it is there."""

import stat
import sys
from pathlib import Path

import pytest

from dataforge_client import NotConfigured, Profile, config_path, load_profile, remove_profile, write_profile
from dataforge_client.config import read_profiles

URL = "https://api.example.org"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"DATAFORGE_CONFIG": str(tmp_path / "settings" / "config.json")}


def test_the_environment_says_it_all(environment: dict[str, str]) -> None:
    given = environment | {"DATAFORGE_URL": URL, "DATAFORGE_TOKEN": "t"}

    assert load_profile(given) == Profile(URL, "t")


def test_what_was_written_is_read_by_nobody_else(environment: dict[str, str]) -> None:
    path = config_path(environment)
    write_profile(path, Profile(URL, None, "access", "refresh", 1_800_000_000.0))
    write_profile(path, Profile("https://test.example.org", "t"), "test")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["config.json"]
    assert load_profile(environment).refresh_token == "refresh"
    assert load_profile(environment, profile="test") == Profile("https://test.example.org", "t")
    assert load_profile(environment | {"DATAFORGE_PROFILE": "test"}).token == "t"
    assert remove_profile(path, "test")
    assert not remove_profile(path, "test")
    assert set(read_profiles(path)) == {"default"}


def test_a_token_goes_to_its_own_server_only(environment: dict[str, str]) -> None:
    write_profile(config_path(environment), Profile(URL, "secret"))

    with pytest.raises(NotConfigured, match="elsewhere"):
        load_profile(environment | {"DATAFORGE_URL": "https://elsewhere.example.org"})

    assert load_profile(environment | {"DATAFORGE_URL": f"{URL}/"}).token == "secret"


def test_a_credential_of_records_is_enough_and_goes_along(environment: dict[str, str]) -> None:
    xapi = {"DATAFORGE_XAPI_KEY": "k", "DATAFORGE_XAPI_SECRET": "s"}

    alone = load_profile(environment | xapi | {"DATAFORGE_URL": URL})
    write_profile(config_path(environment), Profile(URL, None, "access", "refresh", 1.0))
    both = load_profile(environment | xapi)
    other = load_profile(environment | xapi | {"DATAFORGE_TOKEN": "t"})

    assert (alone.token, alone.xapi_key, alone.xapi_secret) == (None, "k", "s")
    assert (both.access_token, both.xapi_key) == ("access", "k")
    assert (other.token, other.access_token, other.xapi_key) == ("t", None, "k")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "DATAFORGE_URL"),
        ({"DATAFORGE_URL": URL}, "DATAFORGE_TOKEN"),
        ({"DATAFORGE_PROFILE": "none"}, "no profile 'none'"),
    ],
)
def test_what_is_missing_is_named(environment: dict[str, str], given: dict[str, str], message: str) -> None:
    with pytest.raises(NotConfigured, match=message):
        load_profile(environment | given)


@pytest.mark.parametrize("content", ["", "[]", '{"profiles": 3}', '{"profiles": {"default": {"token": "t"}}}', "\x00"])
def test_a_file_of_something_else_is_said_to_be_one(environment: dict[str, str], content: str) -> None:
    path = config_path(environment)
    path.parent.mkdir()
    path.write_text(content)

    with pytest.raises(NotConfigured, match="no configuration of DataForge"):
        load_profile(environment)


def test_a_newer_file_is_read_as_far_as_it_is_known(environment: dict[str, str]) -> None:
    path = config_path(environment)
    path.parent.mkdir()
    path.write_text('{"profiles": {"default": {"url": "https://api.example.org", "token": "t", "color": "red"}}}')

    assert load_profile(environment) == Profile(URL, "t")


def test_settings_are_where_the_system_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_path({"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "dataforge" / "config.json"
    assert config_path({}).parts[-3:] == (".config", "dataforge", "config.json")
    monkeypatch.setattr(sys, "platform", "win32")
    assert config_path({"APPDATA": str(tmp_path)}) == tmp_path / "dataforge" / "config.json"
