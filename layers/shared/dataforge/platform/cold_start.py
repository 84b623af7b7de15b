"""The start of a function: what it imports stays for good, so the garbage collector need not look at it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Import without collections of garbage, and leave what is there afterwards out of later ones.

    Imports make hundreds of thousands of objects and next to no garbage: looking through them took a fifth of the CPU
    time of a cold start. Only for what a process does once: objects in reference cycles that exist at the end are never
    freed (gc.freeze).
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.freeze()
            gc.enable()
