"""Signed cursors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.kernel.paging import CursorSigner, InvalidCursor

signer = CursorSigner(b"key")
keys = st.lists(st.text() | st.integers() | st.none() | st.booleans(), max_size=4)


@given(st.text(), keys)
def test_a_cursor_gives_back_its_position(scope: str, key: list[object]) -> None:
    assert signer.open(scope, signer.seal(scope, key)) == tuple(key)


@given(st.text(max_size=200))
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        signer.open("list", text)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        signer.open("/api/b?", signer.seal("/api/a?", ["x"]))


def test_a_cursor_of_another_key_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        CursorSigner(b"other").open("list", signer.seal("list", ["x"]))


@given(st.integers(0, 60), st.integers(1, 255))
def test_one_changed_byte_is_noticed(position: int, change: int) -> None:
    import base64

    raw = bytearray(base64.urlsafe_b64decode(signer.seal("list", ["abc", 42]) + "=="))
    raw[position % len(raw)] ^= change

    with pytest.raises(InvalidCursor):
        signer.open("list", base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="))
