"""The functions' log lines on the terminal, short enough to read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.stack import LocalStack

_FRAMES = ("START ", "END ", "REPORT ", "INIT_START ")
# Members that every line has or that repeat what the short form says.
_HIDDEN = {"level", "location", "message", "timestamp", "service", "cold_start", "function_arn", "function_name"}
_HIDDEN |= {"function_memory_size", "function_request_id", "correlation_id", "xray_trace_id", "_aws", "exception_name"}
_LARGEST_LINE = 400


def follow(stack: LocalStack) -> Iterator[str]:
    """Yield readable lines of all functions from now on, in the order of their time stamps; an empty one when idle."""
    logs = stack.emulator.client("logs")
    seen_until = dict.fromkeys(stack.facts["functions"], int(time.time() * 1000))
    seen: set[tuple[str, int, str]] = set()
    while True:
        batch: list[tuple[int, str]] = []
        for name, since in seen_until.items():
            group = f"/aws/lambda/{stack.facts['functions'][name]}"
            try:
                events = logs.filter_log_events(logGroupName=group, startTime=since)["events"]
            except (BotoCoreError, ClientError):
                continue  # the emulator is stopping
            for event in events:
                identity = (name, event["timestamp"], event["message"])
                line = None if identity in seen else readable(*identity)
                seen.add(identity)
                if line:
                    batch.append((event["timestamp"], line))
            seen_until[name] = max([since, *(event["timestamp"] for event in events)])
        seen = {identity for identity in seen if identity[1] >= seen_until[identity[0]]}
        yield from (line for _, line in sorted(batch))
        yield ""


def readable(function: str, timestamp: int, message: str) -> str | None:
    """Turn one log event into `20:15:03 xapi INFO request method=POST …`; None for the platform's own frames."""
    text = message.strip()
    if not text or text.startswith(_FRAMES):
        return None
    clock = datetime.fromtimestamp(timestamp / 1000, UTC).strftime("%H:%M:%S")
    try:
        record = json.loads(text)
    except ValueError:
        return f"{clock} {function:16} {text[:_LARGEST_LINE]}"
    if not isinstance(record, dict) or "_aws" in record:
        return None
    facts = " ".join(
        f"{key}={value}" for key, value in record.items() if key not in _HIDDEN and value not in (None, "")
    )
    return f"{clock} {function:16} {record.get('level', ''):7} {record.get('message', '')} {facts}"[
        :_LARGEST_LINE
    ].rstrip()
