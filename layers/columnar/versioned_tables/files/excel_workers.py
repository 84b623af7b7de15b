"""Tasks of a process side by side, in forks of it that share what it has read so far.

A function has no shared memory for the queues and pools of `multiprocessing`, and needs none: tasks are numbers in a
pipe, answers are files. Forks share the memory that the process may have, and the place in files that it has open.
"""

from __future__ import annotations

import os
import pickle
import resource
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

_Answer = TypeVar("_Answer")
_MOST_TASKS = 256  # numbers of one byte


def side_by_side(tasks: Sequence[Callable[[], _Answer]], folder: Path, *, most: int) -> list[_Answer]:
    """The answers of tasks in order, or the error of the first one that raises, by at most so many forks. Answers and
    errors go through `folder`.

    A task of which nothing is heard, because its process died, runs once more in this one, with all of its memory. The
    process must not have started threads.
    """
    workers = min(most, len(tasks))
    if workers < 2 or len(tasks) > _MOST_TASKS:
        return [task() for task in tasks]
    waiting, queue = os.pipe()
    os.write(queue, bytes(range(len(tasks))))
    os.close(queue)
    children = [_fork(tasks, folder, waiting, workers) for _ in range(workers)]
    os.close(waiting)
    for child in children:
        os.waitpid(child, 0)
    return [_answer(task, folder / f"{number}.answer") for number, task in enumerate(tasks)]


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _fork(tasks: Sequence[Callable[[], _Answer]], folder: Path, waiting: int, workers: int) -> int:
    child = os.fork()
    if child:
        return child
    try:
        most, hard = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            resource.setrlimit(resource.RLIMIT_AS, (most // workers, hard))
        while number := os.read(waiting, 1):
            _work(tasks[number[0]], folder / f"{number[0]}.answer")
    finally:
        os._exit(0)  # nothing of the process that was forked is to be finished here


def _work(task: Callable[[], _Answer], path: Path) -> None:
    try:
        answer: tuple[bool, object] = True, task()
    except MemoryError:
        return  # the rest of the machine's memory may do
    except Exception as error:  # noqa: BLE001 - it is raised where the answer is read
        answer = False, error
    partial = path.with_suffix(".part")
    partial.write_bytes(pickle.dumps(answer))
    partial.rename(path)


def _answer(task: Callable[[], _Answer], path: Path) -> _Answer:
    if not path.exists():
        return task()
    is_answer, answer = pickle.loads(path.read_bytes())  # noqa: S301 - our own process wrote it
    path.unlink()
    if not is_answer:
        raise answer
    return answer  # type: ignore[no-any-return]  # pickles have no types
