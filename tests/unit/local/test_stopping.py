"""Stopping a stack from another terminal."""

import subprocess
import sys
from pathlib import Path

from infra.local.layout import ROOT, stack_in
from infra.local.stack import stop

HOLDER = """
import signal, sys, time
from pathlib import Path
from infra.local.layout import stack_in
from infra.local.stack import exclusive

signal.signal(signal.SIGTERM, signal.default_int_handler)
with exclusive(stack_in(Path(sys.argv[1]))):
    try:
        print("holding", flush=True)
        time.sleep(600)
    except KeyboardInterrupt:
        print("told to stop", flush=True)
"""


def test_a_stack_that_runs_elsewhere_is_told_to_stop_and_waited_for(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holding\n"

        stopped = stop(stack_in(tmp_path))

        assert holder.stdout.read() == "told to stop\n"
    assert stopped
    assert stop(stack_in(tmp_path)) is False


def test_a_stack_that_never_ran_is_not_running(tmp_path: Path) -> None:
    assert stop(stack_in(tmp_path)) is False
