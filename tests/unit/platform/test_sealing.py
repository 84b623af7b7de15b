"""Secrets that are encrypted in the database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.platform.sealing import SecretBox, SecretUnreadable


@given(secret=st.text(), about=st.text(max_size=20))
def test_a_secret_is_read_for_what_it_was_sealed_for(secret: str, about: str) -> None:
    try:
        secret.encode()
        about.encode()
    except UnicodeEncodeError:
        return
    box = SecretBox(b"key", "tests")
    sealed = box.seal(secret, about)

    assert box.open(sealed, about) == secret
    for other, what in ((box, about + "x"), (SecretBox(b"other", "tests"), about), (SecretBox(b"key", "else"), about)):
        with pytest.raises(SecretUnreadable):
            other.open(sealed, what)
