"""The AWS emulator (MiniStack): started with its state on disk, stopped so that the state is saved."""

from __future__ import annotations

import json
import shutil
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from infra.local import packages, processes, snapshot
from infra.local.errors import LocalStackError
from infra.local.files import write_whole
from infra.local.layout import TOOLS, StackDirectory
from infra.local.ports import LOOPBACK, free_port, port_is_free

REGION = "us-east-1"
ACCOUNT = "000000000000"
_READY_SECONDS = 60
# Every invocation in flight needs a worker process, and beyond this the emulator answers 429 as AWS does: enough for a
# rush of fifty callers with something to spare, few enough for a machine with 8 GB.
_LARGEST_CONCURRENCY = "64"
_IDLE_WORKER_SECONDS = "120"


@dataclass(frozen=True)
class Emulator:
    """A running emulator."""

    directory: Path
    port: int

    @property
    def endpoint_url(self) -> str:
        """Where the AWS APIs answer."""
        return f"http://{LOOPBACK}:{self.port}"

    def api_url(self, api_id: str, stage: str) -> str:
        """Base address of a deployed REST API; the path form needs no name resolution."""
        return f"{self.endpoint_url}/_aws/execute-api/{api_id}/{stage}"

    def client(self, service: Any) -> Any:  # noqa: ANN401 - of whichever service its caller names
        """A boto3 client of this emulator that takes nothing from the caller's AWS configuration."""
        return boto3.session.Session().client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            verify=False,
            config=Config(retries={"total_max_attempts": 2}, read_timeout=960, proxies={}),
        )

    def environment(self) -> dict[str, str]:
        """Variables that point AWS tools at this emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return processes.recorded(self.directory / "process.json") is not None

    def stop(self) -> None:
        """Save the state and stop, function workers included."""
        processes.stop(self.directory / "process.json")

    def save(self) -> None:
        """Stop, and make sure that all of the state is on disk; raises LocalStackError."""
        self.stop()
        log = (self.directory.parent / "logs" / "emulator.log").read_text(errors="replace")
        if not (self.directory / "state" / "lambda.json").exists() or "failed to save" in log:
            cause = "The AWS emulator could not save its state."
            raise LocalStackError(cause, f"Free some space beneath {self.directory} and run again.")


def start(stack: StackDirectory, *, port: int | None = None) -> Emulator:
    """Start the emulator of a stack on ``port``, else on the port it had, else on a preferred or free one.

    What a killed run left behind is ended first, and a deployment that it did not finish is undone.
    """
    directory = stack.emulator
    directory.mkdir(parents=True, exist_ok=True)
    end_left_over(stack)
    snapshot.recover(stack)
    shutil.rmtree(directory / "tmp", ignore_errors=True)
    for name in ("state", "objects", "tmp"):
        (directory / name).mkdir(exist_ok=True)
    stack.logs.mkdir(exist_ok=True)
    emulator = Emulator(directory=directory, port=_choose_port(stack, port))
    write_whole(directory / "port.json", json.dumps(emulator.port))
    log = stack.logs / "emulator.log"
    log.unlink(missing_ok=True)
    environment = processes.clean_environment(
        {
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": str(emulator.port),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(directory / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(directory / "objects"),
            "TMPDIR": str(directory / "tmp"),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LAMBDA_ACCOUNT_CONCURRENCY": _LARGEST_CONCURRENCY,
            "LAMBDA_WARM_TTL_SECONDS": _IDLE_WORKER_SECONDS,
            "AWS_DEFAULT_REGION": REGION,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": packages.search_path(stack),
        }
    )
    # -E: the path is for the workers, which inherit it; the emulator has its own packages.
    command = (str(TOOLS / "emulator" / "bin" / "python"), "-E", "-m", "ministack")
    record = directory / "process.json"
    process = processes.spawn(command, environment=environment, log=log, record=record, owner=stack.root)
    deadline = time.monotonic() + _READY_SECONDS
    while not _answers(emulator):
        if process.poll() is not None or time.monotonic() > deadline:
            emulator.stop()
            lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
            raise LocalStackError(
                f"The AWS emulator did not start: {lines[-1] if lines else 'no output'}", f"See {log}."
            )
        time.sleep(0.1)
    return emulator


def end_left_over(stack: StackDirectory) -> None:
    """End what a killed run left behind: the emulator, its workers, a deployment.

    The emulator saves its state, with what it accepted since it was started, unless a deployment was under way.
    """
    if not snapshot.under_way(stack):
        processes.stop(stack.emulator / "process.json")
    processes.end_left_over(stack.root, save=not snapshot.under_way(stack))
    (stack.emulator / "process.json").unlink(missing_ok=True)


def _choose_port(stack: StackDirectory, requested: int | None) -> int:
    if requested is not None:
        wanted = requested
    else:
        try:
            wanted = int(json.loads((stack.emulator / "port.json").read_text()))
        except (OSError, ValueError, TypeError):
            wanted = stack.preferred_port or free_port()
    require_free(wanted)
    return wanted


def require_free(port: int) -> None:
    """Raise LocalStackError, naming a port to use instead, when somebody listens on this one."""
    if not port_is_free(port):
        way_out = f"Stop it, or choose another port: make run PORT={free_port()}"
        raise LocalStackError(f"Port {port} is taken by another program.", way_out)


def _answers(emulator: Emulator) -> bool:
    try:
        with urllib.request.urlopen(f"{emulator.endpoint_url}/_ministack/health", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
