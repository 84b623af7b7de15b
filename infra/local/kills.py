"""``make run`` killed at chosen and at random moments, and run again: ``python -m infra.local.kills --random 30``.

A kill ends processes without a word (SIGKILL): the launcher, the emulator, PostgreSQL, the functions' workers, or all
of them. After each, the launcher is started again; at the end somebody signs in, sends a statement and reads a report.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import psycopg

from infra.local import processes
from infra.local.layout import ROOT, StackDirectory, stack_in

VICTIMS = ("launcher", "emulator", "postgres", "workers", "everything")
UP = "Up after"
_UP_SECONDS = 600


class Launcher:
    """One ``make run`` of a stack, with what it prints."""

    def __init__(self, stack: StackDirectory) -> None:
        self.stack = stack
        stack.root.mkdir(parents=True, exist_ok=True)
        self._output = stack.root / "output.log"
        with self._output.open("w") as output:
            command = [sys.executable, "-m", "infra.local", "run", "--directory", str(stack.root)]
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._output.read_text()

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is true; raises AssertionError when the launcher ends before, or takes too long."""
        deadline = time.monotonic() + _UP_SECONDS
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                message = f"{what} never came:\n{self.output}"
                raise AssertionError(message)
            time.sleep(0.01)

    def kill(self, victims: str) -> None:
        """End some of its processes by force, and wait until the launcher has ended too."""
        everything = victims == "everything"
        if everything or victims == "launcher":
            self.process.kill()
        if everything or victims == "emulator":
            record = processes.recorded(self.stack.emulator / "process.json")
            processes.kill([record] if record else [])
        if everything or victims == "postgres":
            processes.kill(processes.left_over(self.stack.postgres) + self._postmaster())
        if everything or victims == "workers":
            processes.kill(worker for worker in processes.left_over(self.stack.root) if _is_worker(worker))
        if victims != "workers":
            self.process.wait(timeout=_UP_SECONDS)

    def stop(self) -> int:
        """Ctrl-C; the status."""
        self.process.terminate()
        return self.process.wait(timeout=_UP_SECONDS)

    def _postmaster(self) -> list[psutil.Process]:
        try:
            pid = int((self.stack.postgres / "data" / "postmaster.pid").read_text().split()[0])
            return [psutil.Process(pid)]
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return []


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "AWS_LAMBDA_FUNCTION_NAME" in process.environ()
    except psutil.Error:
        return False


@dataclass(frozen=True)
class Moment:
    """When to kill whom: `seconds` after something is true of the launcher's stack."""

    name: str
    when: Callable[[Launcher], bool]
    victims: str
    seconds: float = 0.0
    in_tests: bool = True  # the others are near enough to these for a run that must be short


def printed(text: str) -> Callable[[Launcher], bool]:
    """True once the launcher has printed this."""
    return lambda launcher: text in launcher.output


def _saving(launcher: Launcher) -> bool:
    return "deployment …" in launcher.output and any((launcher.stack.emulator / "state").glob("*.json"))


def _row(query: str) -> Callable[[Launcher], bool]:
    def found(launcher: Launcher) -> bool:
        settings = json.loads((launcher.stack.postgres / "server.json").read_text())
        url = f"postgresql://dataforge:{settings['password']}@127.0.0.1:{settings['port']}/dataforge"
        try:
            with psycopg.connect(url, connect_timeout=2) as connection:
                return connection.execute(query.encode()).fetchone() is not None
        except psycopg.Error:
            return False

    return lambda launcher: "credentials …" in launcher.output and found(launcher)


def _cluster_is_made(launcher: Launcher) -> bool:
    return (launcher.stack.postgres / "data" / "PG_VERSION").exists()


# In the order of a first start; each goes on from where the one before was killed.
MOMENTS = (
    Moment("while the database cluster is made", printed("database …"), "launcher", 0.3),
    Moment("while the database starts", _cluster_is_made, "everything"),
    Moment("while the emulator starts", printed("AWS emulator …"), "launcher", 0.4, in_tests=False),
    Moment("at the beginning of the deployment", printed("deployment …"), "launcher", 0.5),
    Moment("in the middle of the deployment", printed("deployment …"), "emulator", 4.0),
    Moment("while the deployment is saved", _saving, "everything"),
    Moment("while the tables are made", printed("migrations …"), "postgres", 0.7),
    Moment("when the signing key is made", _row("SELECT 1 FROM identity.signing_keys"), "everything", in_tests=False),
    Moment("when the administrator is made", _row("SELECT 1 FROM identity.users"), "launcher"),
    Moment("when the credential is made", _row("SELECT 1 FROM identity.xapi_credentials"), "emulator"),
    Moment("while the demo's statements are sent", printed("demo statements …"), "emulator", 0.8),
    Moment("while everything runs: the database", printed(UP), "postgres", 0.2),
    Moment("while everything runs: all", printed(UP), "everything", 0.2, in_tests=False),
)


def kill_at(moment: Moment, stack: StackDirectory) -> None:
    """Start the stack and kill it at a moment."""
    launcher = Launcher(stack)
    try:
        launcher.wait_for(lambda: moment.when(launcher), moment.name)
        time.sleep(moment.seconds)
    finally:
        launcher.kill(moment.victims)
    if launcher.process.poll() is None:
        _stopped_well(launcher)


def _stopped_well(launcher: Launcher) -> None:
    # On a busy machine a signal can come before the launcher has said or done anything, and ends it as any process.
    status = launcher.stop()
    assert status == 0 or (status == -signal.SIGTERM and not launcher.output), f"status {status}: {launcher.output}"


def check(stack: StackDirectory) -> None:
    """Start the stack to the end, use it as people do, and stop it; raises AssertionError for whatever is wrong."""
    launcher = Launcher(stack)
    try:
        launcher.wait_for(lambda: UP in launcher.output, "the end of the start")
        _use(stack)
    except BaseException:
        launcher.kill("everything")
        raise
    _stopped_well(launcher)
    left = processes.left_over(stack.root)
    assert left == [], left


def _use(stack: StackDirectory) -> None:
    """Sign in, send a statement, and read the report that the demo's statements ended in."""
    facts = json.loads(stack.stack_file.read_text())
    token = _ask(f"{facts['api_url']}/api/auth/login", facts["credentials"]["admin"])["access_token"]
    statement = _send(facts)
    deadline = time.monotonic() + 60
    while not _loaded(facts, statement):
        assert time.monotonic() < deadline, "the statement never reached the tables"
        time.sleep(0.2)
    cohort = facts["demo"]["cohort_id"]
    report = _ask(f"{facts['api_url']}/api/cohorts/{cohort}/completions", None, {"Authorization": f"Bearer {token}"})
    assert report["items"], "the report is empty"


def _send(facts: Mapping[str, Any]) -> str:
    """Have a statement accepted; its id."""
    credential = facts["credentials"]["xapi"]
    basic = base64.b64encode(f"{credential['key']}:{credential['secret']}".encode()).decode()
    statement = {
        "actor": {"mbox": "mailto:kills@dataforge.example"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
        "object": {"id": f"https://lms.dataforge.example/kills/{uuid4()}"},
    }
    headers = {"Authorization": f"Basic {basic}", "X-Experience-API-Version": "1.0.3"}
    return str(_ask(f"{facts['xapi_url']}/statements", statement, headers)[0])


def _loaded(facts: Mapping[str, Any], statement_id: str) -> bool:
    with psycopg.connect(facts["database_url"]) as connection:
        query = "SELECT count(*) FROM records.statements_flat WHERE statement_id = %s"
        row = connection.execute(query, (statement_id,)).fetchone()
    return row is not None and row[0] == 1


def _ask(url: str, body: object, headers: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def random_moments(count: int, seed: int) -> Iterator[Moment]:
    """Anybody, at any time of a start: most in the first half minute, some while everything runs."""
    chance = random.Random(seed)
    for number in range(count):
        seconds, victims = chance.uniform(0, 35), chance.choice(VICTIMS)
        yield Moment(f"{number + 1}: {victims} after {seconds:.2f} s", lambda _: True, victims, seconds)


def main() -> int:
    """Kill at every chosen moment of one first start, then at random ones of first starts and restarts."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.kills", description=__doc__)
    parser.add_argument("--random", type=int, default=0, metavar="COUNT", help="how many random kills as well")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="dataforge-kills-"))
    stack, failures = stack_in(root / "stack"), 0
    for moment in MOMENTS:
        failures += _print_outcome(moment.name, lambda moment=moment: kill_at(moment, stack))  # type: ignore[misc]  # mypy infers no lambda with a default
    failures += _print_outcome("… and run to the end", lambda: check(stack))
    for number, moment in enumerate(random_moments(arguments.random, arguments.seed)):
        if number % 5 == 0:
            shutil.rmtree(stack.root)  # a first start again

        def kill_and_check(moment: Moment = moment) -> None:
            kill_at(moment, stack)
            check(stack)

        failures += _print_outcome(moment.name, kill_and_check)
    print(f"{failures} failed" if failures else "All starts after kills went to the end.")
    if not failures:
        shutil.rmtree(root)
    return min(failures, 1)


def _print_outcome(name: str, work: Callable[[], None]) -> int:
    began = time.monotonic()
    print(f"  {name:55}", end="", flush=True)
    try:
        work()
    except Exception as error:  # noqa: BLE001 - the others are tried all the same
        print(f" FAILED after {time.monotonic() - began:.0f} s: {error}", flush=True)
        return 1
    print(f" {time.monotonic() - began:4.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
