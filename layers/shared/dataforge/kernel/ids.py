"""Identifiers: UUID version 7, ordered by time of creation (RFC 9562 §5.7)."""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last: list[int] = [0]


def uuid7() -> UUID:
    """A new UUID v7; ids made by one process are strictly increasing (RFC 9562 §6.2, method 3: finer clock ticks)."""
    with _lock:
        # 48 bits of milliseconds and 12 bits of the fraction of the millisecond, one tick apart at least.
        nanoseconds = time.time_ns()
        ticks = (nanoseconds // 1_000_000 << 12) | (nanoseconds % 1_000_000 * 4096 // 1_000_000)
        ticks = max(ticks, _last[0] + 1)
        _last[0] = ticks
    random = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    value = (ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64 | 0b10 << 62 | random
    return UUID(int=value)
