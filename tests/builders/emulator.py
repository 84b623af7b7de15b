"""The AWS emulator of the local stack, for tests of adapters: empty, on a free port, one for the whole run."""

import os
import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dataforge.platform.aws.clients import client
from infra.local.emulator import Emulator, start
from infra.local.layout import StackDirectory

if TYPE_CHECKING:
    from types_boto3_s3.literals import BucketLocationConstraintType


@dataclass(frozen=True)
class EmulatedAws:
    """Makes queues and buckets that belong to one test."""

    emulator: Emulator

    def queue(self, *, visibility_seconds: int = 30) -> str:
        """URL of a new queue."""
        name = f"test-{secrets.token_hex(6)}"
        return client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(visibility_seconds)})[
            "QueueUrl"
        ]

    def bucket(self) -> str:
        """Name of a new bucket."""
        name = f"test-{secrets.token_hex(6)}"
        region = cast("BucketLocationConstraintType", os.environ["AWS_DEFAULT_REGION"])
        client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
        return name


@contextmanager
def started_emulator(directory: Path) -> Iterator[Emulator]:
    """Start an empty emulator, which runs until the block ends."""
    with warnings.catch_warnings():
        # The launcher finds its server again by the process id it wrote down, and lets go of the handle.
        warnings.simplefilter("ignore", ResourceWarning)
        emulator = start(StackDirectory(root=directory, stack_name="tests", preferred_port=None))
    try:
        yield emulator
    finally:
        emulator.stop()


@contextmanager
def emulated_aws(emulator: Emulator) -> Iterator[EmulatedAws]:
    """Point this process's clients at the emulator until the block ends."""
    before = os.environ.get("AWS_ENDPOINT_URL")
    os.environ["AWS_ENDPOINT_URL"] = emulator.endpoint_url
    client.cache_clear()  # type: ignore[attr-defined]  # mypy sees the overloads, not that the function is cached
    try:
        yield EmulatedAws(emulator)
    finally:
        client.cache_clear()  # type: ignore[attr-defined]  # mypy sees the overloads, not that the function is cached
        if before is None:
            os.environ.pop("AWS_ENDPOINT_URL")
        else:
            os.environ["AWS_ENDPOINT_URL"] = before
