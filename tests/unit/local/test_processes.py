"""What a killed run leaves behind is found by what it inherited, and nobody else is touched."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from infra.local import processes

SLEEP = "import time; time.sleep(60)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{SLEEP}'])"


def sleeper(owner: Path | None) -> subprocess.Popen[bytes]:
    """A process with a child of its own."""
    environment = os.environ | ({processes.OWNER: str(owner)} if owner else {})
    process = subprocess.Popen([sys.executable, "-c", PARENT], env=environment)
    deadline = time.monotonic() + 20
    while not psutil.Process(process.pid).children():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def test_orphans_of_a_directory_are_ended_and_others_live(tmp_path: Path) -> None:
    ours, others = tmp_path / "ours", tmp_path / "others"
    mine, foreign = sleeper(ours), sleeper(others)
    orphan = psutil.Process(mine.pid).children()[0]
    mine.kill()
    mine.wait()

    assert [process.pid for process in processes.left_over(ours)] == [orphan.pid]
    processes.end_left_over(ours, patience_seconds=5)

    assert processes.left_over(ours) == []
    assert foreign.poll() is None
    processes.end_left_over(others, save=False)
    assert foreign.wait(timeout=5) == -signal.SIGKILL


def test_a_process_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    environment = os.environ | {processes.OWNER: str(tmp_path)}
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    deaf = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
    assert deaf.stdout is not None
    with deaf.stdout as output:
        output.readline()

    processes.end_left_over(tmp_path, patience_seconds=0.2)

    assert deaf.wait(timeout=5) == -signal.SIGKILL


def test_a_record_of_another_process_with_the_same_number_is_nobody(tmp_path: Path) -> None:
    record = tmp_path / "process.json"
    record.write_text(json.dumps({"pid": os.getpid(), "created": 1.0}))

    assert processes.recorded(record) is None
    record.write_text('{"pid": ')
    assert processes.recorded(record) is None
