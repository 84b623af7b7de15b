"""``python -m infra.local run|stop|reset``: what ``make run``, ``make stop`` and ``make reset`` call."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType

from infra.local.demo import run_demo
from infra.local.errors import LocalStackError
from infra.local.follow import follow
from infra.local.layout import DEVELOPMENT, TEST, TOOLS, StackDirectory, stack_in
from infra.local.stack import LocalStack, exclusive, reset, start, stop
from infra.local.summary import summary

_LONGEST = 1000


def main() -> int:
    """Run the command; a problem is one line on stderr and status 1."""
    parser = argparse.ArgumentParser(prog="python -m infra.local")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start everything and stay in the foreground")
    run.add_argument("--port", type=int, default=None, help="port of the AWS emulator")
    delete = commands.add_parser("reset", help="delete the local stack and its data")
    end = commands.add_parser("stop", help="stop what runs in another terminal and keep the data")
    for command in (run, end, delete):
        command.add_argument("--directory", type=Path, default=None, help="another stack than that of this checkout")
    arguments = parser.parse_args()
    stack = DEVELOPMENT if arguments.directory is None else stack_in(arguments.directory)
    # A shell starts background jobs with Ctrl-C ignored; whoever sends it all the same means it.
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it, a closed terminal sends it
        signal.signal(signal.SIGHUP, _interrupt)
    try:
        if arguments.command == "reset":
            reset(stack, keep=(TOOLS, TEST.root))
            print(f"Deleted the local stack and its data beneath {stack.root}. 'make run' starts a new one.")
        elif arguments.command == "stop":
            stopped = stop(stack)
            print("Stopped. 'make run' continues with all data." if stopped else "The stack is not running.")
        else:
            _run(stack, arguments.port)
    except KeyboardInterrupt:
        print("\nStopped.")
    except LocalStackError as error:
        return _fail(str(error))
    except OSError as error:
        if not is_full(error):
            return _fail(f"{error}. See the logs beneath {stack.logs}.")
        return _fail(f"There is no space left on the disk of {stack.root}. Free some space and run again.")
    except Exception as error:  # noqa: BLE001 - nobody foresaw it: one line for the person, the traceback for the log
        log = stack.root / "launcher.log"
        log.write_text(traceback.format_exc())
        return _fail(f"{type(error).__name__}: {error}. Details: {log}; 'make reset' starts over.")
    return 0


def is_full(error: OSError) -> bool:
    """Whether a disk is full; a copy of a tree wraps what happened to each of its files in one error."""
    return error.errno == errno.ENOSPC or os.strerror(errno.ENOSPC) in str(error)


def _fail(message: str) -> int:
    print(f"error: {' '.join(message.split())[:_LONGEST]}", file=sys.stderr)
    return 1


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(directory: StackDirectory, port: int | None) -> None:
    began = time.monotonic()
    with exclusive(directory):
        stack = start(directory, port=port)
        try:
            run_demo(stack)
            print(summary(stack))
            print(
                f"Up after {time.monotonic() - began:.0f} s. Logs follow; Ctrl-C stops everything and keeps the data.\n"
            )
            for line in follow(stack):
                if line:
                    print(line, flush=True)
                else:
                    time.sleep(1)
                    _check_servers(stack)
        finally:
            # A second Ctrl-C must not tear the stopping apart: the state is being saved.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            print("\nStopping: saving the emulator's state, then the database …", flush=True)
            stack.stop()


def _check_servers(stack: LocalStack) -> None:
    if stack.postgres.pid is None:
        raise LocalStackError("PostgreSQL stopped.", f"See {stack.postgres.directory / 'postgres.log'} and run again.")
    if not stack.emulator.is_running:
        raise LocalStackError(
            "The AWS emulator stopped.", f"See {stack.directory.logs / 'emulator.log'} and run again."
        )


if __name__ == "__main__":
    sys.exit(main())
