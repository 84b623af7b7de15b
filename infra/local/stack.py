"""Bring a local stack up: database, emulator, build, deployment, migrations, first credentials.

Everything is skipped that was done before and has not changed. Whatever was killed at whatever moment, the next start
ends what is left over, undoes what is half done and goes on from what is there.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from botocore.exceptions import ClientError

from infra.local import build, credentials, emulator, packages, postgres, processes, snapshot
from infra.local.demo_statements import HOME_PAGES
from infra.local.emulator import Emulator
from infra.local.errors import LocalStackError
from infra.local.files import write_whole
from infra.local.layout import ARCHITECTURE, PYTHON_VERSION, ROOT, TOOLS, StackDirectory
from infra.local.mailbox import Mailbox
from infra.local.postgres import PostgresServer
from infra.local.progress import step
from infra.packaging.database import database_parameters, login_parameters
from infra.packaging.template import load_template

STAGE = "local"
DEPLOYMENT_BUCKET = "deployments"
MAIL_FROM = "no-reply@dataforge.example"
# Pages that a frontend developer serves beside the stack may call it.
LOCAL_ORIGINS = "http://localhost:*,http://127.0.0.1:*"
_NEEDED_BYTES = 700 * 1024**2
# A rush of callers starts its workers one after the other here, so they get time. The consumer's are small: when it was
# killed it must see its messages again within the minute.
FIXED_PARAMETERS = {
    "MailFrom": MAIL_FROM,
    "HttpTimeoutSeconds": "120",
    "TrustedHomePages": ",".join(HOME_PAGES),
    "EtlTimeoutSeconds": "8",
    "EtlVisibilitySeconds": "48",
    "DatasetTimeoutSeconds": "300",
    "DatasetVisibilitySeconds": "1800",
    "LogRetentionDays": "1",
    # A killed emulator forgets its queues, but not its objects.
    "KeepAccepted": "true",
    # Receivers of statements are beside us here.
    "PrivateReceivers": "true",
    # One person's machine reserves nothing.
    "ApiReservedConcurrency": "0",
    "XapiReservedConcurrency": "0",
    "SqlReservedConcurrency": "0",
}
# What a developer may choose by the variable that the functions know it under.
_CHOICES = {"ETL_MODE": "EtlMode"}


@dataclass
class LocalStack:
    """A running stack: its servers and the facts in ``stack.json``."""

    directory: StackDirectory
    postgres: PostgresServer
    emulator: Emulator
    mailbox: Mailbox
    facts: dict[str, Any]

    def invoke(self, function: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke a function by its short name (``maintenance``) and return its answer.

        Raises LocalStackError when the function fails or refuses.
        """
        name = f"{self.directory.stack_name}-{function}"
        body = json.dumps(dict(payload)).encode()
        answer = self.emulator.client("lambda").invoke(FunctionName=name, Payload=body, Qualifier="live")
        result = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            reason = result.get("errorMessage", result) if isinstance(result, dict) else result
            raise LocalStackError(f"The function {function} failed: {str(reason).splitlines()[0]}", self._see_logs())
        if not isinstance(result, dict):
            raise LocalStackError(f"The function {function} answered {result!r}.", self._see_logs())
        if isinstance(result.get("error"), dict):
            raise LocalStackError(f"The function {function} refused: {result['error'].get('detail')}", self._see_logs())
        return result

    def workers(self, function: str) -> list[psutil.Process]:
        """The processes that run a function now, for tests that kill them."""
        server = processes.recorded(self.emulator.directory / "process.json")
        wanted = f"{self.directory.stack_name}-{function}"
        children = server.children(recursive=True) if server else []
        return [child for child in children if _function_name(child) == wanted]

    def become(self, again: LocalStack) -> None:
        """Stand for the same stack after another start, for tests that stop it."""
        self.postgres, self.emulator = again.postgres, again.emulator
        self.mailbox, self.facts = again.mailbox, again.facts

    def write_file(self) -> None:
        """Write ``stack.json`` in one piece, readable by the owner only."""
        write_whole(self.directory.stack_file, json.dumps(self.facts, indent=2) + "\n")

    def stop(self) -> None:
        """Stop the emulator, which saves its state, then the database."""
        self.emulator.stop()
        self.mailbox.stop()
        self.postgres.stop()

    def _see_logs(self) -> str:
        return f"See {self.directory.logs / 'emulator.log'}."


def _function_name(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("AWS_LAMBDA_FUNCTION_NAME")
    except psutil.Error:
        return None


@contextmanager
def exclusive(directory: StackDirectory) -> Iterator[None]:
    """Hold the stack's directory: two launchers on one directory would stop each other's servers."""
    directory.root.mkdir(parents=True, exist_ok=True)
    with directory.lock_file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            raise LocalStackError(
                f"This stack is already running (process {owner}).",
                f"Use it (its addresses are in {directory.stack_file}), or stop it: Ctrl-C there, or 'make stop'.",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def stop(directory: StackDirectory) -> bool:
    """End the launcher that holds the directory, as Ctrl-C does, and wait until it has; False when none does."""
    if not directory.lock_file.exists():
        return False
    with directory.lock_file.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = lock.read().strip()
            if not owner.isdecimal():
                raise LocalStackError("The stack has only begun to start.", "Stop it in a second.") from None
            os.kill(int(owner), signal.SIGTERM)
            fcntl.flock(lock, fcntl.LOCK_SH)
            return True
    return False


def start(
    directory: StackDirectory, *, port: int | None = None, parameters: Mapping[str, str] | None = None
) -> LocalStack:
    """Start the stack and deploy what has changed; ``parameters`` override the template's for this stack.

    Raises LocalStackError with a one-line cause; whatever was started is stopped again.
    """
    _require_space(directory)
    started: list[Emulator | Mailbox | PostgresServer] = []
    emulator.end_left_over(directory)
    postgres.end_left_over(directory.postgres)
    try:
        with step("database"):
            database = postgres.start(directory.postgres)
            started.append(database)
        mailbox = Mailbox(directory.mail)
        mailbox.start()
        started.append(mailbox)
        with step("AWS emulator"):
            cloud = emulator.start(directory, port=port)
            started.append(cloud)
        with step("build" if not build.is_current() else "build (unchanged)"):
            source = build.build()
        wanted = _parameters(directory, database, cloud, mailbox) | dict(parameters or {})
        fingerprint = hashlib.sha256(json.dumps([source, wanted], sort_keys=True).encode()).hexdigest()
        packages.unpack(directory, source)
        if snapshot.deployed(directory) != fingerprint:
            with step("deployment"):
                snapshot.begin(directory)
                _deploy(directory, cloud, wanted, fingerprint)
                # What the emulator knows is on disk only after a stop: from here on even a killed run can continue.
                cloud.save()
                snapshot.end(directory, fingerprint)
                cloud = emulator.start(directory, port=cloud.port)
                started[-1] = cloud
        _require_deployed(directory, cloud)
        stack = LocalStack(directory, database, cloud, mailbox, _facts(directory, database, cloud, mailbox))
        with step("migrations"):
            stack.invoke("schema-deployer", {"command": "migrate"})
        with step("credentials"):
            credentials.ensure(stack)
            # What a killed emulator had accepted and not loaded.
            stack.invoke("maintenance", {"command": "load_accepted"})
    except BaseException:
        for server in reversed(started):
            server.stop()
        raise
    return stack


def _require_space(directory: StackDirectory) -> None:
    places = [place for place in (directory.root, directory.postgres, directory.emulator) if place.exists()]
    for place in places:
        free = shutil.disk_usage(place).free
        if free < _NEEDED_BYTES:
            cause = (
                f"Only {free // 1024**2} MB are free on the disk of {place}; a stack takes {_NEEDED_BYTES // 1024**2}."
            )
            raise LocalStackError(cause, "Free some space and run again.")


def _parameters(
    directory: StackDirectory, database: PostgresServer, cloud: Emulator, mailbox: Mailbox
) -> dict[str, str]:
    return {
        "Environment": "local",
        "Runtime": f"python{PYTHON_VERSION}",
        "Architecture": ARCHITECTURE,
        **database_parameters(database.url),
        **login_parameters(database.url, directory.stack_name),
        "SmtpUrl": mailbox.smtp_url,
        "PublicBaseUrl": cloud.api_url(_api_id(directory), STAGE),
        "CorsOrigins": LOCAL_ORIGINS,
        **{parameter: os.environ[name] for name, parameter in _CHOICES.items() if name in os.environ},
        **FIXED_PARAMETERS,
    }


def _api_id(directory: StackDirectory) -> str:
    """The API's id, the same for the same routes: the emulator replaces an API whose routes change under a new id."""
    routes = json.dumps(load_template()["Resources"]["RestApi"], sort_keys=True)
    return f"{directory.stack_name}-{hashlib.sha256(routes.encode()).hexdigest()[:6]}"


def _require_deployed(directory: StackDirectory, cloud: Emulator) -> None:
    try:
        description = cloud.client("cloudformation").describe_stacks(StackName=directory.stack_name)["Stacks"][0]
        found = str(description["StackStatus"])
    except ClientError:
        found = "missing"
    if found not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        cause = f"The AWS emulator's state beneath {directory.emulator} is damaged: the stack is {found}."
        raise LocalStackError(cause, "'make reset' starts over.")


def _deploy(directory: StackDirectory, cloud: Emulator, parameters: Mapping[str, str], fingerprint: str) -> None:
    bucket = DEPLOYMENT_BUCKET
    cloud.client("s3").create_bucket(Bucket=bucket)
    command = [
        str(TOOLS / "sam" / "bin" / "sam"),
        "deploy",
        "--template-file",
        str(packages.local_template(fingerprint)),
    ]
    command += ["--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local", "--no-progressbar"]
    command += ["--stack-name", directory.stack_name, "--s3-bucket", bucket]
    # The emulator takes the API's id from this tag: the address is known before the stack exists, and never changes.
    command += ["--tags", f"ms-custom-id={_api_id(directory)}"]
    command += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
    environment = build.sam_environment() | cloud.environment()
    log = directory.logs / "deploy.log"
    what = "the deployment"
    processes.run_tool(command, environment=environment, log=log, what=what, cwd=ROOT, owner=directory.root)


def _facts(directory: StackDirectory, database: PostgresServer, cloud: Emulator, mailbox: Mailbox) -> dict[str, Any]:
    description = cloud.client("cloudformation").describe_stacks(StackName=directory.stack_name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]}
    api_url = cloud.api_url(_api_id(directory), STAGE)
    functions = [
        *("api", "datasets-api", "datasets-sql", "xapi", "xapi-etl", "dataset-import"),
        *("dataset-export", "worker", "reminders", "notifier", "schema-deployer", "maintenance"),
    ]
    return {
        "api_url": api_url,
        "xapi_url": f"{api_url}/xapi",
        "mail_url": mailbox.page_url,
        "database_url": database.url,
        "aws_endpoint_url": cloud.endpoint_url,
        "credentials": {},
        "region": emulator.REGION,
        "stack_name": directory.stack_name,
        "data_bucket": outputs["DataBucketName"],
        "feedback_topic": outputs["FeedbackTopicArn"],
        "queues": {
            "statements": outputs["StatementsQueueUrl"],
            "statements_dlq": outputs["StatementsDeadLetterQueueUrl"],
            "imports": outputs["ImportsQueueUrl"],
            "imports_dlq": outputs["ImportsDeadLetterQueueUrl"],
            "exports": outputs["ExportsQueueUrl"],
            "exports_dlq": outputs["ExportsDeadLetterQueueUrl"],
            "deployments": outputs["DeploymentsQueueUrl"],
            "deployments_dlq": outputs["DeploymentsDeadLetterQueueUrl"],
            "jobs": outputs["JobsQueueUrl"],
            "jobs_dlq": outputs["JobsDeadLetterQueueUrl"],
            "feedback": outputs["FeedbackQueueUrl"],
            "feedback_dlq": outputs["FeedbackDeadLetterQueueUrl"],
        },
        "functions": {name: f"{directory.stack_name}-{name}" for name in functions},
        "postgres_directory": str(directory.postgres),
        "logs_directory": str(directory.logs),
    } | _remembered(directory)


def _remembered(directory: StackDirectory) -> dict[str, Any]:
    """What cannot be found out again: credentials that were shown once, and which rows are the demo's."""
    try:
        facts = json.loads(directory.stack_file.read_text())
        return {name: dict(facts[name]) for name in ("credentials", "demo") if name in facts}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def reset(directory: StackDirectory, *, keep: tuple[Path, ...] = ()) -> None:
    """Delete everything of a stack that does not run; ``keep`` names what else lives in its directory."""
    with exclusive(directory):
        emulator.end_left_over(directory)
        postgres.end_left_over(directory.postgres)
        for entry in directory.root.iterdir():
            if entry in keep or entry == directory.lock_file:
                continue
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
