"""One port to SES, whichever version of its API the endpoint has."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from dataforge.platform.aws.clients import client
from dataforge.platform.mail.message import Mail
from dataforge.platform.mail.senders import SesSender

SENDER, ADA = "no-reply@dataforge.example", "ada@example.org"
LINK = "<https://example.org/api/unsubscribe?token=" + "a" * 400 + ">"
MAIL = Mail(ADA, "Grüße", "Hallo\n", "<p>Hallo</p>", {"List-Unsubscribe": LINK}).with_id("message-1")


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client.cache_clear()
    with mock_aws():
        yield
    client.cache_clear()


def sent() -> list[Any]:
    return list(ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages)


class Refusing:
    """An endpoint's client that answers a call with an error, and counts the calls."""

    def __init__(self, code: str, message: str = "") -> None:
        self.calls = 0
        self._answer = {"Error": {"Code": code, "Message": message}}

    def send_email(self, **_: Any) -> dict[str, str]:
        self.calls += 1
        raise ClientError(self._answer, "SendEmail")  # type: ignore[arg-type]  # the part that is read


@contextmanager
def instead_of_v2(monkeypatch: pytest.MonkeyPatch, other: Any) -> Iterator[None]:
    def chosen(service: Any) -> Any:
        return other if service == "sesv2" else boto3.client(service)

    with monkeypatch.context() as patched:
        patched.setattr("dataforge.platform.mail.senders.client", chosen)
        yield


async def test_the_whole_message_goes_by_v2() -> None:
    boto3.client("ses").verify_email_identity(EmailAddress=SENDER)

    provider_id = await SesSender(SENDER).send(MAIL)

    [message] = sent()
    assert message.id == provider_id
    assert f"List-Unsubscribe: {LINK}" in message.raw_data
    assert message.source == SENDER
    assert f"To: {ADA}" in message.raw_data


@pytest.mark.parametrize("code", ["404", "UnknownOperationException", "NotFoundException", "501"])
async def test_an_endpoint_without_v2_is_asked_by_v1_from_then_on(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    boto3.client("ses").verify_email_identity(EmailAddress=SENDER)
    absent, sender = Refusing(code), SesSender(SENDER)

    with instead_of_v2(monkeypatch, absent):
        ids = [await sender.send(MAIL) for _ in range(3)]

    assert absent.calls == 1
    assert [message.id for message in sent()] == ids
    assert all(f"To: {ADA}" in message.raw_data for message in sent())


async def test_a_sender_that_v2_does_not_know_may_be_known_to_v1(monkeypatch: pytest.MonkeyPatch) -> None:
    boto3.client("ses").verify_email_identity(EmailAddress=SENDER)
    unknown, sender = Refusing("MessageRejected", "Email address is not verified."), SesSender(SENDER)

    with instead_of_v2(monkeypatch, unknown):
        for _ in range(2):
            await sender.send(MAIL)

    assert (unknown.calls, len(sent())) == (2, 2)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("TooManyRequestsException", "Maximum sending rate exceeded."),
        ("AccountSuspendedException", ""),
        ("MailFromDomainNotVerifiedException", ""),
        ("NotFoundException", "Configuration set <dataforge> does not exist."),
        ("BadRequestException", "Missing final '@domain'"),
    ],
)
async def test_a_refusal_is_a_refusal(monkeypatch: pytest.MonkeyPatch, code: str, message: str) -> None:
    boto3.client("ses").verify_email_identity(EmailAddress=SENDER)

    with instead_of_v2(monkeypatch, Refusing(code, message)), pytest.raises(ClientError):
        await SesSender(SENDER).send(MAIL)

    assert sent() == []


async def test_an_unverified_sender_sends_nothing() -> None:
    with pytest.raises(ClientError, match="MessageRejected"):
        await SesSender(SENDER).send(MAIL)

    assert sent() == []


async def test_the_configuration_set_is_named_in_both(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []

    class Recording:
        def send_email(self, **values: Any) -> dict[str, str]:
            given.append(values)
            raise ClientError({"Error": {"Code": "404"}}, "SendEmail")

        def send_raw_email(self, **values: Any) -> dict[str, str]:
            given.append(values)
            return {"MessageId": "1"}

    monkeypatch.setattr("dataforge.platform.mail.senders.client", lambda _service: Recording())

    await SesSender(SENDER, "dataforge-mail").send(MAIL)

    assert [values["ConfigurationSetName"] for values in given] == ["dataforge-mail"] * 2


def test_a_mail_whose_answer_is_lost_is_not_sent_again_behind_our_back() -> None:
    for service in ("ses", "sesv2"):
        assert client(service).meta.config.retries["total_max_attempts"] == 1  # type: ignore[call-overload]
