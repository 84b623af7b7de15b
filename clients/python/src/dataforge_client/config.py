"""Where the server is and as whom to talk to it: from the environment, or from what `dataforge login` has written."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

from dataforge_client.errors import NotConfigured

XAPI_KEY, XAPI_SECRET = "DATAFORGE_XAPI_KEY", "DATAFORGE_XAPI_SECRET"
URL, TOKEN, PROFILE, FILE = "DATAFORGE_URL", "DATAFORGE_TOKEN", "DATAFORGE_PROFILE", "DATAFORGE_CONFIG"
DEFAULT_PROFILE = "default"
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Profile:
    """A server and who one is there: `token` lasts, access and refresh token are those of a sign-in that is renewed.

    `xapi_key` and `xapi_secret` are of a credential for learning records.
    """

    url: str
    token: str | None = None
    access_token: str | None = None
    refresh_token: str | None = None
    expires_at: float | None = None
    xapi_key: str | None = None
    xapi_secret: str | None = None


def config_path(environment: Mapping[str, str] | None = None) -> Path:
    """The file with profiles: DATAFORGE_CONFIG, or `dataforge/config.json` where this system keeps settings."""
    env = os.environ if environment is None else environment
    if env.get(FILE):
        return Path(env[FILE])
    if sys.platform == "win32":
        base = Path(env.get("APPDATA") or Path.home())
    else:
        base = Path(env.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "dataforge" / "config.json"


def read_profiles(path: Path) -> dict[str, Profile]:
    """All profiles of a file, none without it; raises NotConfigured on one that is not ours."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        profiles: Mapping[str, Mapping[str, Any]] = content["profiles"]
        known = set(Profile.__dataclass_fields__)
        return {
            name: Profile(**{key: value for key, value in values.items() if key in known})
            for name, values in profiles.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{path} is no configuration of DataForge; remove it, or run `dataforge login` again."
        raise NotConfigured(message) from error


def write_profile(path: Path, profile: Profile, name: str = DEFAULT_PROFILE) -> None:
    """Keep a profile beside the others; nobody else on this machine may read the file, at no moment."""
    _write(path, {**read_profiles(path), name: profile})


def remove_profile(path: Path, name: str = DEFAULT_PROFILE) -> bool:
    """Forget a profile; returns whether it was there."""
    profiles = read_profiles(path)
    if name not in profiles:
        return False
    _write(path, {other: profile for other, profile in profiles.items() if other != name})
    return True


def _write(path: Path, profiles: Mapping[str, Profile]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = {
        "profiles": {
            name: {key: value for key, value in asdict(profile).items() if value is not None}
            for name, profile in profiles.items()
        }
    }
    # Made anew and moved into place: a reader sees the old or the new one, and never a file that others may read.
    beside = path.with_name(f".{path.name}.{token_hex(6)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def load_profile(environment: Mapping[str, str] | None = None, *, profile: str | None = None) -> Profile:
    """The profile to use: DATAFORGE_URL and DATAFORGE_TOKEN before what the file says.

    Raises NotConfigured without an address or a token.
    """
    env = os.environ if environment is None else environment
    path = config_path(env)
    name = profile or env.get(PROFILE) or DEFAULT_PROFILE
    kept = read_profiles(path).get(name)
    if kept is None and (profile or env.get(PROFILE)):
        message = f"There is no profile {name!r} in {path}; run `dataforge login --profile {name}`."
        raise NotConfigured(message)
    url = env.get(URL) or (kept.url if kept is not None else "")
    if not url:
        message = f"Set {URL} to the address of the API (and {TOKEN}), or run `dataforge login`."
        raise NotConfigured(message)
    # What is secret goes to the server that gave it and to no other.
    here = kept if kept is not None and kept.url.rstrip("/") == url.rstrip("/") else None
    token, key, secret = env.get(TOKEN), env.get(XAPI_KEY), env.get(XAPI_SECRET)
    if token is None and here is None and not (key and secret):
        message = f"Set {TOKEN} to a token for {url}, or run `dataforge login`."
        raise NotConfigured(message)
    chosen = here or Profile(url)
    if token:
        chosen = replace(chosen, token=token, access_token=None, refresh_token=None, expires_at=None)
    if key and secret:
        chosen = replace(chosen, xapi_key=key, xapi_secret=secret)
    return replace(chosen, url=url)
