"""Pages of other origins: given ones may call every path, all of them the open paths."""

import httpx
import pytest
from starlette.responses import PlainTextResponse

from dataforge.http.cross_origin import CrossOrigin

LOCAL = ("http://localhost:*", "https://app.example")


async def answer(path: str, origin: str, origins: tuple[str, ...] = LOCAL) -> httpx.Response:
    app = CrossOrigin(PlainTextResponse("read"), origins=origins, open_paths=("/open",))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get(path, headers={"Origin": origin})


@pytest.mark.parametrize("origin", ["http://localhost", "http://localhost:5173", "https://app.example"])
async def test_given_origins_may_read(origin: str) -> None:
    assert (await answer("/closed", origin)).headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize(
    "origin",
    [
        *("https://localhost:5173", "http://localhost.evil.example", "http://localhost:5173.evil.example"),
        *("http://xlocalhost:1", "http://localhost:123456", "https://app.example:8443", "https://appxexample", "null"),
    ],
)
async def test_others_may_not(origin: str) -> None:
    assert "Access-Control-Allow-Origin" not in (await answer("/closed", origin)).headers


@pytest.mark.parametrize("origins", [(), LOCAL])
async def test_every_origin_may_read_what_is_open(origins: tuple[str, ...]) -> None:
    response = await answer("/open", "https://content.example.org", origins)

    assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_nobody_may_read_what_is_closed_where_no_origins_are_given() -> None:
    assert "Access-Control-Allow-Origin" not in (await answer("/closed", "https://app.example", ())).headers
