"""How long dead letters take back to their queue, on the emulator: `python -m infra.bench.redrive [--messages 10000]`.

Messages have about the size of those of `statements`. The emulator shares the machine's cores with us.
"""

import argparse
import asyncio
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dataforge.platform.aws.clients import client
from dataforge.platform.aws.redrive import redrive
from infra.bench.figure import Figure, show

BATCH, BODY = 10, "x" * 700
LIMIT_SECONDS = 30


def fill(url: str, messages: int) -> None:
    """Send so many messages to a queue."""

    def send(first: int) -> None:
        entries = [{"Id": str(at), "MessageBody": f"{first + at} {BODY}"} for at in range(min(BATCH, messages - first))]
        client("sqs").send_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]  # entries as boto3 takes them

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(0, messages, BATCH)))


def measure(messages: int) -> list[Figure]:
    """Seconds of one redrive of all, and how many are missing in the end."""
    from tests.builders.emulator import emulated_aws, started_emulator

    with (
        tempfile.TemporaryDirectory(prefix="dataforge-bench-") as name,
        started_emulator(Path(name)) as emulator,
        emulated_aws(emulator) as aws,
    ):
        queue, dead = aws.queue(), aws.queue()
        fill(dead, messages)
        began = time.perf_counter()
        done = asyncio.run(redrive(dead, queue, most=messages))
        took = time.perf_counter() - began
        answer = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
        there = int(answer["Attributes"]["ApproximateNumberOfMessages"])
    return [
        Figure(f"{messages:,} dead letters redriven, s", took, LIMIT_SECONDS * max(1.0, messages / 10_000)),
        Figure("of them lost", messages - min(len(done.moved), there), 0),
    ]


def main() -> int:
    """Print the figures; 1 when a limit was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    os.environ |= dict.fromkeys(("AWS_DEFAULT_REGION", "AWS_REGION"), "eu-central-1")
    os.environ |= {"AWS_ACCESS_KEY_ID": "000000000000", "AWS_SECRET_ACCESS_KEY": "x"}
    parser.add_argument("--messages", type=int, default=10_000)
    return 1 if show("redrive", measure(parser.parse_args().messages)) else 0


if __name__ == "__main__":
    raise SystemExit(main())
