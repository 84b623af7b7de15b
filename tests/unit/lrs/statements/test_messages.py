"""What travels through the queue."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.lrs.statements.domain import StatementsBody, XapiVersion, prepare_batch
from dataforge.contexts.lrs.statements.domain.messages import (
    UnreadableMessage,
    message_json,
    read_message,
    read_statements,
    statements_json,
)
from tests.builders.statements import AUTHORITY, statement
from tests.builders.time import NOW

KEY = "queue-bodies/x.json"
REQUEST = UUID("01990000-0000-7000-8000-000000000001")


def batch(*statements: dict[str, Any]) -> Any:
    body = StatementsBody(list(statements), is_array=True)
    return prepare_batch(body, authority=AUTHORITY, version=XapiVersion.V1_0, now=NOW).statements


def test_statements_come_back_as_they_went_numbers_included() -> None:
    prepared = batch(statement(result={"score": {"scaled": Decimal("0.10000000000000000001"), "raw": Decimal(2**70)}}))

    body = message_json(
        request_id=REQUEST, authority="key", stored_at=NOW, registered=True, statements=statements_json(prepared)
    )
    found = read_message(body)

    assert (found.request_id, found.authority, found.source, found.registered) == (REQUEST, "key", "xapi", True)
    assert found.stored_at == NOW
    assert found.statements[0].payload == prepared[0].payload
    assert found.statements[0].sha.hex() == prepared[0].content_sha256


def test_a_large_request_names_its_object() -> None:
    prepared = batch(statement(), statement(timestamp="2026-01-01T00:00:00Z"))
    body = message_json(request_id=REQUEST, authority="key", stored_at=NOW, registered=False, body_key=KEY)

    found = read_message(body)

    assert (found.body_key, found.statements, found.registered) == ("queue-bodies/x.json", (), False)
    assert [item.id for item in read_statements(statements_json(prepared))] == [item.id for item in prepared]


@pytest.mark.parametrize("key", ["xapi-credentials/a.json", 7, "../queue-bodies/x"])
def test_a_body_elsewhere_is_not_fetched(key: object) -> None:
    body = message_json(request_id=REQUEST, authority="k", stored_at=NOW, registered=True, body_key=KEY)
    text = body.decode().replace('"queue-bodies/x.json"', f'"{key}"' if isinstance(key, str) else str(key))

    with pytest.raises(UnreadableMessage):
        read_message(text)


@given(st.text() | st.binary())
def test_noise_is_unreadable_and_nothing_worse(noise: str | bytes) -> None:
    with pytest.raises(UnreadableMessage):
        read_message(noise)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_any_other_json_is_no_list_of_statements(value: Any) -> None:
    if value == []:
        assert read_statements("[]") == ()
    else:
        with pytest.raises(UnreadableMessage):
            read_statements(json.dumps(value))
