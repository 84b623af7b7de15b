"""Bytes of mails: what programs that read mail rely on."""

import re
from email import message_from_bytes, policy

import pytest

from dataforge.platform.mail.message import Mail, mime_message

_ENCODED = re.compile(rb"=\?[^?]+\?[^?]+\?[^?]*\?=")


@pytest.mark.parametrize("subject", ["ü" * 400, "日本語" * 200, " ".join(["Wörter"] * 150), "x" * 2000, "Fire safety"])
def test_an_encoded_word_of_a_subject_has_75_characters_at_most(subject: str) -> None:
    link = f"<https://learn.example.org/api/unsubscribe?token={'a' * 430}>"
    mail = Mail("ada@example.org", subject, "Hello", headers={"List-Unsubscribe": link})

    written = mime_message(mail, "no-reply@example.org").as_bytes()

    head = written.partition(b"\r\n\r\n")[0]
    assert max(map(len, _ENCODED.findall(head)), default=0) <= 75
    assert f"List-Unsubscribe: {link}".encode() in head.split(b"\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert message_from_bytes(written, policy=policy.default)["Subject"] == subject
