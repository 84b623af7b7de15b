"""The event loop of a worker."""

import asyncio


def own_event_loop() -> asyncio.AbstractEventLoop:
    """The one event loop of this worker: pooled connections belong to a loop and must find it again next time."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop
