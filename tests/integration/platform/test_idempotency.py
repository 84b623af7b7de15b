"""Idempotency-Key through a real route."""

import asyncio
from typing import Annotated

import httpx
import pytest
from fastapi import Request
from pydantic import BaseModel
from sqlalchemy import func, select
from starlette.responses import Response

from dataforge.http.app import context_router, create_app
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import Conflict
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.tables import audit_log
from dataforge.platform.db.unit_of_work import SqlUnitOfWork
from tests.builders.api import ApiUnderTest

router = context_router("sample")


class Order(BaseModel):
    item: str


async def place(order: Order, uow: SqlUnitOfWork) -> str:
    await asyncio.sleep(0.05)
    uow.audit(AuditEntry("ordered", "order", order.item))
    if order.item == "forbidden fruit":
        raise Conflict("Not this one.")
    return str(uuid7())


@router.post("/api/orders", status_code=201)
async def order(
    body: Order,
    call: Annotated[Call, require(Action.CREATE, Kind.ENROLLMENT)],
    request: Request,
    *,
    dry_run: bool = False,
) -> Response:
    return await call.execute(SqlUnitOfWork, place, body, lambda made: json_response({"id": made}, status=201))


@pytest.fixture
async def shop(api: ApiUnderTest) -> httpx.AsyncClient:
    _, asgi = create_app(platform=api.platform, owners={"/api/orders": __name__})
    token = await api.token(await api.add_user(Role.LEARNER), Role.LEARNER)
    return await api.client(token, asgi)


async def orders(api: ApiUnderTest) -> int:
    async with api.platform.database.read_only() as connection:
        return int(await connection.scalar(select(func.count()).select_from(audit_log)) or 0)


async def test_a_repeated_key_and_body_gets_the_first_answer(shop: httpx.AsyncClient, api: ApiUnderTest) -> None:
    first = await shop.post("/api/orders", json={"item": "pen"}, headers={"Idempotency-Key": "k1"})
    again = await shop.post("/api/orders", json={"item": "pen"}, headers={"Idempotency-Key": "k1"})

    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["content-type"] == "application/json"
    assert await orders(api) == 1


async def test_the_same_key_with_another_body_is_refused(shop: httpx.AsyncClient) -> None:
    await shop.post("/api/orders", json={"item": "pen"}, headers={"Idempotency-Key": "k1"})

    other = await shop.post("/api/orders", json={"item": "ink"}, headers={"Idempotency-Key": "k1"})

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_the_same_key_with_other_parameters_is_refused(shop: httpx.AsyncClient) -> None:
    await shop.post("/api/orders?dry_run=true", json={"item": "pen"}, headers={"Idempotency-Key": "k1"})

    response = await shop.post("/api/orders", json={"item": "pen"}, headers={"Idempotency-Key": "k1"})

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")


async def test_of_requests_at_once_one_is_done_and_the_others_are_told_to_wait_or_get_its_answer(
    shop: httpx.AsyncClient, api: ApiUnderTest
) -> None:
    answers = await asyncio.gather(
        *(shop.post("/api/orders", json={"item": "pen"}, headers={"Idempotency-Key": "k1"}) for _ in range(5))
    )

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert {answer.json().get("code") for answer in answers if answer.status_code == 409} <= {"idempotency_in_progress"}
    assert await orders(api) == 1


async def test_a_request_that_failed_leaves_its_key_free(shop: httpx.AsyncClient, api: ApiUnderTest) -> None:
    refused = await shop.post("/api/orders", json={"item": "forbidden fruit"}, headers={"Idempotency-Key": "k1"})
    retried = await shop.post("/api/orders", json={"item": "pen"}, headers={"Idempotency-Key": "k1"})

    assert (refused.status_code, retried.status_code) == (409, 201)


async def test_people_do_not_share_keys(shop: httpx.AsyncClient, api: ApiUnderTest) -> None:
    _, asgi = create_app(platform=api.platform, owners={"/api/orders": __name__})
    other = await api.client(await api.token(await api.add_user(Role.LEARNER), Role.LEARNER), asgi)
    await shop.post("/api/orders", json={"item": "pen"}, headers={"Idempotency-Key": "k1"})

    await other.post("/api/orders", json={"item": "pen"}, headers={"Idempotency-Key": "k1"})

    assert await orders(api) == 2


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_of_a_wrong_length_is_refused(shop: httpx.AsyncClient, key: str) -> None:
    response = await shop.post("/api/orders", json={"item": "pen"}, headers={"Idempotency-Key": key})

    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
