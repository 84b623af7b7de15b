"""Dead letters go back to their queue: all, some, one; and none is lost whatever happens in between."""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataforge.bootstrap import build_platform, modules
from dataforge.events.handlers import run_command
from dataforge.platform.aws import redrive as mechanism
from dataforge.platform.aws.clients import client
from dataforge.settings import WorkerSettings
from tests.builders.emulator import EmulatedAws


class Operator:
    """Invokes the command as `maintenance` does, with two queues of its own."""

    def __init__(self, aws: EmulatedAws) -> None:
        self.queue, self.dead = aws.queue(), aws.queue()
        self.settings = WorkerSettings(statements_queue_url=self.queue, statements_dlq_url=self.dead)

    def give_up(self, *bodies: str) -> list[str]:
        """Dead letters; their ids."""
        kind = {"kind": {"DataType": "String", "StringValue": "statements"}}
        sqs = client("sqs")
        return [
            str(sqs.send_message(QueueUrl=self.dead, MessageBody=body, MessageAttributes=kind)["MessageId"])
            for body in bodies
        ]

    async def redrive(self, **arguments: Any) -> dict[str, Any]:
        return await run_command(
            modules(), "maintenance", build_platform(self.settings), {"command": "redrive", **arguments}
        )

    def bodies(self, url: str) -> list[str]:
        """What can be received from a queue now; taken out."""
        found: list[str] = []
        while messages := client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                found.append(message["Body"])
                client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return sorted(found)


@pytest.fixture
def operator(emulator: EmulatedAws) -> Operator:
    return Operator(emulator)


async def test_all_dead_letters_go_back_to_their_queue(operator: Operator) -> None:
    sent = [json.dumps({"number": number}) for number in range(25)]
    ids = operator.give_up(*sent)

    answer = await operator.redrive(queue="statements")

    assert (answer["moved"], sorted(answer["message_ids"]), answer["remaining"]) == (25, sorted(ids), 0)
    assert operator.bodies(operator.queue) == sorted(sent)
    assert operator.bodies(operator.dead) == []


async def test_one_is_chosen_and_the_others_stay_and_can_be_read_at_once(operator: Operator) -> None:
    ids = operator.give_up(*"abcdefghijklmno")

    answer = await operator.redrive(queue="statements", messages=[ids[3], "no-such-message"])

    assert (answer["message_ids"], answer["not_found"]) == ([ids[3]], ["no-such-message"])
    assert operator.bodies(operator.queue) == ["d"]
    assert operator.bodies(operator.dead) == sorted("abcefghijklmno")


async def test_as_many_as_asked_for_are_moved_and_the_rest_can_follow(operator: Operator) -> None:
    operator.give_up(*"abcdefghijkl")

    first = await operator.redrive(queue="statements", most=5)
    second = await operator.redrive(queue="statements")

    assert (first["moved"], second["moved"]) == (5, 7)
    assert operator.bodies(operator.queue) == sorted("abcdefghijkl")


async def test_attributes_of_a_message_stay_with_it(operator: Operator) -> None:
    operator.give_up("a")

    await operator.redrive(queue="statements")

    answer = client("sqs").receive_message(QueueUrl=operator.queue, MessageAttributeNames=["All"])
    assert answer["Messages"][0]["MessageAttributes"]["kind"]["StringValue"] == "statements"


async def test_an_empty_queue_is_no_error(operator: Operator) -> None:
    assert (await operator.redrive(queue="statements"))["moved"] == 0


@pytest.mark.parametrize(
    "arguments", [{}, {"queue": "failed-invocations"}, {"queue": "statements", "most": 0}, {"queue": "imports", "x": 1}]
)
async def test_what_cannot_be_carried_out_is_refused(operator: Operator, arguments: dict[str, Any]) -> None:
    answer = await operator.redrive(**arguments)

    assert answer["error"]["code"] == "validation_failed"


class Killed(BaseException):
    """The worker is gone."""


class Dying:
    """An SQS client whose process ends at the n-th call that changes a queue, before or after the call."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.left, self.after = at, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(client("sqs"), name)
        if name not in ("send_message_batch", "delete_message_batch", "change_message_visibility"):
            return method

        def called(**arguments: Any) -> Any:
            self.left -= 1
            if self.left < 0:  # the process has ended: nothing that comes later happens
                raise Killed
            if self.left == 0 and not self.after:
                raise Killed
            answer = method(**arguments)
            if self.left == 0:
                raise Killed
            return answer

        return called


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(count=st.integers(1, 12), at=st.integers(1, 24), after=st.booleans(), only_first=st.booleans())
async def test_a_killed_run_loses_nothing(
    emulator: EmulatedAws, count: int, at: int, after: bool, only_first: bool
) -> None:
    operator = Operator(emulator)
    operator.dead = emulator.queue(visibility_seconds=1)
    operator.settings = WorkerSettings(statements_queue_url=operator.queue, statements_dlq_url=operator.dead)
    bodies = [f"message {number}" for number in range(count)]
    ids = operator.give_up(*bodies)
    dying = Dying(at, after=after)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mechanism, "client", lambda _service: dying)
        with contextlib.suppress(Killed):
            await operator.redrive(queue="statements", **({"messages": ids[:1]} if only_first else {}))
    left = await wait_for(operator, operator.dead)

    assert set(operator.bodies(operator.queue)) | set(left) == set(bodies)


async def wait_for(operator: Operator, url: str) -> Sequence[str]:
    """What is in a queue once what was in somebody's hands is visible again."""
    await asyncio.sleep(1.1)
    return operator.bodies(url)
