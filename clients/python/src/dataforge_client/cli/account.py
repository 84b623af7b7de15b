"""Signing in, keys of senders, and whether everything is as it should be."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import httpx
import typer

from dataforge_client.cli.console import FAILED, NOT_SIGNED_IN, Settings, fail, settings_of, stdout
from dataforge_client.client import Client
from dataforge_client.config import DEFAULT_PROFILE, Profile, config_path, load_profile, remove_profile, write_profile
from dataforge_client.errors import ApiError, ClientError, NotConfigured, Unauthorized

_SIGN_IN_TIMES_OUT = 10.0
_CLOCKS_DIFFER = 60.0  # seconds that are worth a word: signatures and tokens begin to be refused
keys = typer.Typer(help="Keys with which LMSs and course players send statements.", no_args_is_help=True)
KEY_COLUMNS = ("key", "name", "scopes", "last_used_at", "last_refused_at", "last_refused_reason")


def add_to(app: typer.Typer) -> None:
    """Add the commands that stand by themselves."""
    app.command()(login)
    app.command()(logout)
    app.command()(whoami)
    app.command()(doctor)


def login(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Address of the API, as `make run` or your operator names it.")],
    username: Annotated[str | None, typer.Option("--username", "-u", help="Name or e-mail address; asked for.")] = None,
    code: Annotated[str | None, typer.Option(help="Code of the second factor; asked for where it is needed.")] = None,
    *,
    token: Annotated[
        bool, typer.Option("--token", help="Keep a personal access token, read from standard input, instead.")
    ] = False,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
) -> None:
    """Sign in, and keep the sign-in for the commands that follow in a file that nobody else may read.

    [dim]dataforge login https://api.example.org -u ada[/]
    [dim]echo "$TOKEN" | dataforge login --token https://api.example.org[/]
    """
    settings = settings_of(context)
    name = settings.profile or DEFAULT_PROFILE
    base = url.rstrip("/")
    if token:
        given = sys.stdin.readline().strip()
        with Client(base, given) as client:
            person = client.me()
        profile = Profile(base, token=given)
    else:
        who = username or typer.prompt("Username or e-mail address")
        password = sys.stdin.readline().rstrip("\n") if password_stdin else typer.prompt("Password", hide_input=True)
        profile, person = _signed_in(base, who, password, code)
    write_profile(config_path(), profile, name)
    settings.note(f"Signed in as {person['username']} ({person['role']}); kept in {config_path()}.")
    if settings.as_json:
        settings.one({"username": person["username"], "role": person["role"], "profile": name})


def _signed_in(base: str, username: str, password: str, code: str | None) -> tuple[Profile, dict[str, Any]]:
    try:
        client = Client.sign_in(base, username, password, code=code)
    except ApiError as error:
        if error.code != "second_factor_required" or code is not None:
            raise
        return _signed_in(base, username, password, typer.prompt("Code of the second factor"))
    with client:
        person = client.me()
        return client.session.credentials.profile(base), person


def logout(context: typer.Context) -> None:
    """End the sign-in and forget it on this machine."""
    settings = settings_of(context)
    name = settings.profile or DEFAULT_PROFILE
    try:
        profile = load_profile(profile=settings.profile)
        if profile.refresh_token is not None:
            with settings.client() as client:
                client.request("POST", "/api/auth/logout", json={"refresh_token": profile.refresh_token})
    except (NotConfigured, ApiError):
        pass  # ended already
    forgotten = remove_profile(config_path(), name)
    settings.note("Signed out." if forgotten else "Nobody was signed in.")


def whoami(context: typer.Context) -> None:
    """Who one is, and where."""
    settings = settings_of(context)
    with settings.client() as client:
        person = client.me()
        settings.one({**person, "url": client.session.base}, ("username", "role", "email", "url"))


def doctor(context: typer.Context) -> None:
    """Look whether the server is reached and well, the sign-in good, and the clocks agree; status 1 if not."""
    settings = settings_of(context)
    checks: list[dict[str, object]] = []

    def found(check: str, advice: str = "", *, good: bool) -> None:
        checks.append({"check": check, "ok": good, "advice": advice})

    try:
        profile: Profile | None = load_profile(profile=settings.profile)
    except NotConfigured as error:
        profile = None
        found("configuration", str(error), good=False)
    if profile is not None:
        found(f"configuration: {profile.url}", good=True)
        _check_server(profile, found)
        _check_sign_in(settings, found)
    mode = config_path().stat().st_mode & 0o077 if config_path().exists() and sys.platform != "win32" else 0
    found("nobody else may read the sign-in", f"chmod 600 {config_path()}", good=mode == 0)
    if settings.as_json:
        settings.rows(checks)
    else:
        for item in checks:
            mark = "[green]ok[/]  " if item["ok"] else "[red]no[/]  "
            advice = "" if item["ok"] or not item["advice"] else f"\n      {item['advice']}"
            stdout().print(f"{mark}{item['check']}{advice}")
    if not all(item["ok"] for item in checks):
        raise typer.Exit(FAILED if profile is not None else NOT_SIGNED_IN)


def _check_server(profile: Profile, found: Any) -> None:  # noqa: ANN401 - the function above
    try:
        answer = httpx.get(f"{profile.url.rstrip('/')}/health", timeout=_SIGN_IN_TIMES_OUT)
    except httpx.HTTPError as error:
        found("the server answers", f"{error}; is the address right, and does it run?", good=False)
        return
    well = answer.status_code == 200
    found(
        "the server answers", f"{answer.status_code} at {answer.url}; the address has its stage at the end?", good=well
    )
    stated = answer.headers.get("date")
    if stated is not None:
        from email.utils import parsedate_to_datetime

        apart = abs(parsedate_to_datetime(stated).timestamp() - time.time())
        found(
            "the clocks agree", f"they are {apart:.0f} s apart; set this machine's clock", good=apart < _CLOCKS_DIFFER
        )


def _check_sign_in(settings: Settings, found: Any) -> None:  # noqa: ANN401 - the function above
    try:
        with settings.client() as client:
            person = client.me()
    except Unauthorized as error:
        found("the sign-in is good", f"{error.detail} Run `dataforge login`.", good=False)
    except ClientError as error:
        found("the sign-in is good", str(error), good=False)
    else:
        found(f"the sign-in is good: {person['username']}, {person['role']}", good=True)


@keys.command("ls")
def list_keys(context: typer.Context) -> None:
    """Keys, with when they were last heard of and why they were last refused something."""
    settings = settings_of(context)
    with settings.client() as client:
        settings.rows(client.iterate("/api/xapi-credentials"), KEY_COLUMNS)


@keys.command("create")
def create_key(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which LMS or course player.")],
    scope: Annotated[list[str] | None, typer.Option(help="What it may do; may be repeated.")] = None,
    *,
    deduplicate: Annotated[bool, typer.Option(help="For senders without ids that repeat themselves (Moodle).")] = False,
) -> None:
    """Make a key; its secret is shown this once."""
    settings = settings_of(context)
    body = {"name": name, "deduplicate": deduplicate, **({"scopes": scope} if scope else {})}
    with settings.client() as client:
        settings.one(client.request("POST", "/api/xapi-credentials", json=body), ("name", "key", "secret", "scopes"))


@keys.command("revoke")
def revoke_key(context: typer.Context, key: Annotated[str, typer.Argument(help="`lrs_…`")]) -> None:
    """Revoke a key, for good."""
    settings = settings_of(context)
    if not key.startswith("lrs_"):
        fail(f"{key!r} is no key; `dataforge keys ls` lists them.")
    with settings.client() as client:
        client.request("DELETE", f"/api/xapi-credentials/{key}")
    settings.note(f"{key} is revoked.")
