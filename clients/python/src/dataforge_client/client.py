"""The two clients: `Client` is called, `AsyncClient` is awaited; they can do the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Self

import httpx

from dataforge_client.auth import Credentials, SignedIn, sign_in
from dataforge_client.config import (
    DEFAULT_PROFILE,
    PROFILE,
    TOKEN,
    Profile,
    config_path,
    load_profile,
    read_profiles,
    write_profile,
)
from dataforge_client.datasets import Datasets
from dataforge_client.drivers import AsyncDriver, SyncDriver
from dataforge_client.flows import Async, Bound, Driver, Flow, M, Pages, Sync, listing, operation
from dataforge_client.lrs import Lrs, XapiCredential
from dataforge_client.reading import Result, run_sql
from dataforge_client.reports import Reports
from dataforge_client.resources import Collection
from dataforge_client.rosters import Rosters
from dataforge_client.session import Params, Retries, Session

_TIMEOUT = httpx.Timeout(60, connect=10)


class Api(Bound[M], Generic[M]):
    """What both clients offer."""

    def __init__(self, driver: Driver, session: Session, xapi: tuple[str, str] | None) -> None:
        self._driver = driver
        self.session = session
        self.datasets: Datasets[M] = Datasets(driver, session)
        self.reports: Reports[M] = Reports(driver, session)
        self.rosters: Rosters[M] = Rosters(driver, session)
        self.lrs: Lrs[M] = Lrs(driver, session, None if xapi is None else XapiCredential(*xapi))
        self.courses: Collection[M] = self.collection("courses")
        self.semesters: Collection[M] = self.collection("semesters")
        self.sections: Collection[M] = self.collection("sections")
        self.students: Collection[M] = self.collection("students")
        self.enrollments: Collection[M] = self.collection("enrollments")
        self.cohorts: Collection[M] = self.collection("cohorts")
        self.lessons: Collection[M] = self.collection("lessons")
        self.workspaces: Collection[M] = self.collection("workspaces")
        self.users: Collection[M] = self.collection("users")
        self.webhooks: Collection[M] = self.collection("webhooks")

    def collection(self, name: str) -> Collection[M]:
        """The things below `/api/{name}`."""
        return Collection(self._driver, self.session, f"/api/{name}")

    @operation
    def sql(self, query: str, *, max_rows: int = 1000, as_of: datetime | str | None = None) -> Flow[Result]:
        """Run one SELECT over several datasets, `FROM grades@main JOIN "Roster 2026"@v2`, and over reports,
        `FROM reports.completions`; with the `watermark` of a result as `as_of` reports have the same numbers again.
        """
        body: dict[str, object] = {"sql": query, "max_rows": max_rows}
        if as_of is not None:
            body["as_of"] = as_of.isoformat() if isinstance(as_of, datetime) else as_of
        return (yield from run_sql(self.session, "/api/sql", body))

    @operation
    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Flow[Any]:
        """Ask for any route: the JSON of its answer, None without one. `path` begins with `/api/`."""
        import json as codec

        reply = yield from self.session.call(method, path, params=params, json_body=json, headers=headers)
        return codec.loads(reply.content) if reply.content else None

    @listing
    def iterate(self, /, path: str, *, items: str = "items", **params: Any) -> Pages[dict[str, Any]]:  # noqa: ANN401 - of the route
        """All items of any list: `client.iterate("/api/courses", q="law")`."""
        return self.session.pages(path, params, dict, items=items)

    @operation
    def me(self) -> Flow[dict[str, Any]]:
        """Who one is."""
        answer: dict[str, Any] = yield from self.session.get_json("/api/users/me")
        return answer


def _credentials(profile: Profile, keep: str | None) -> Credentials:
    """Credentials of a profile; `keep` is its name in the file where new tokens are written."""
    if keep is None:
        return Credentials(profile)
    path, name = config_path(), keep

    def changed(tokens: SignedIn) -> None:
        kept = {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token}
        write_profile(path, replace(profile, **kept, expires_at=tokens.expires_at), name)

    return Credentials(profile, changed=changed, current=lambda: read_profiles(path).get(name))


def _xapi(profile: Profile) -> tuple[str, str] | None:
    return (profile.xapi_key, profile.xapi_secret) if profile.xapi_key and profile.xapi_secret else None


def _kept_name(profile: Profile, chosen: str | None, environment: Mapping[str, str]) -> str | None:
    if profile.refresh_token is None or environment.get(TOKEN):
        return None
    return chosen or environment.get(PROFILE) or DEFAULT_PROFILE


class Client(Api[Sync]):
    """DataForge from ordinary code.

    `transport` and `timeout` are those of httpx. Use it as a context manager, or `close()` it.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        retries: Retries | None = None,
        timeout: httpx.Timeout | float = _TIMEOUT,
        transport: httpx.BaseTransport | None = None,
        credentials: Credentials | None = None,
        xapi: tuple[str, str] | None = None,
    ) -> None:
        self._http = httpx.Client(timeout=timeout, transport=transport, follow_redirects=False)
        session = Session(url, credentials or Credentials(Profile(url, token)), retries or Retries())
        super().__init__(SyncDriver(self._http), session, xapi)

    @classmethod
    def from_env(cls, profile: str | None = None, **options: Any) -> Self:  # noqa: ANN401 - those of __init__
        """A client by DATAFORGE_URL and DATAFORGE_TOKEN, or by what `dataforge login` has written."""
        import os

        chosen = load_profile(profile=profile)
        credentials = _credentials(chosen, _kept_name(chosen, profile, os.environ))
        return cls(chosen.url, credentials=credentials, **{"xapi": _xapi(chosen), **options})

    @classmethod
    def sign_in(cls, url: str, username: str, password: str, *, code: str | None = None, **options: Any) -> Self:  # noqa: ANN401 - those of __init__
        """A client signed in with a password; the sign-in is renewed while the client is used."""
        client = cls(url, **options)
        try:
            tokens = client._driver.run(sign_in(client.session.base, username, password, code))
        except BaseException:
            client.close()
            raise
        client.session.credentials = Credentials(_profile(url, tokens))
        return client

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(Api[Async]):
    """DataForge from asynchronous code.

    `transport` and `timeout` are those of httpx. Use it as an asynchronous context manager, or `await aclose()`.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        retries: Retries | None = None,
        timeout: httpx.Timeout | float = _TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
        credentials: Credentials | None = None,
        xapi: tuple[str, str] | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(timeout=timeout, transport=transport, follow_redirects=False)
        session = Session(url, credentials or Credentials(Profile(url, token)), retries or Retries())
        super().__init__(AsyncDriver(self._http), session, xapi)

    @classmethod
    def from_env(cls, profile: str | None = None, **options: Any) -> Self:  # noqa: ANN401 - those of __init__
        """A client by DATAFORGE_URL and DATAFORGE_TOKEN, or by what `dataforge login` has written."""
        import os

        chosen = load_profile(profile=profile)
        credentials = _credentials(chosen, _kept_name(chosen, profile, os.environ))
        return cls(chosen.url, credentials=credentials, **{"xapi": _xapi(chosen), **options})

    @classmethod
    async def sign_in(
        cls,
        url: str,
        username: str,
        password: str,
        *,
        code: str | None = None,
        **options: Any,  # noqa: ANN401 - those of __init__
    ) -> Self:
        """A client signed in with a password; the sign-in is renewed while the client is used."""
        client = cls(url, **options)
        try:
            tokens = await client._driver.run(sign_in(client.session.base, username, password, code))
        except BaseException:
            await client.aclose()
            raise
        client.session.credentials = Credentials(_profile(url, tokens))
        return client

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _profile(url: str, tokens: SignedIn) -> Profile:
    return Profile(url, None, tokens.access_token, tokens.refresh_token, tokens.expires_at)
