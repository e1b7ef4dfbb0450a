"""How long the event loop is busy at a time."""

import asyncio
import time


class BusyLoop:
    """The longest time that the event loop gave to one task without a break, in seconds of its thread."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0.001)
            now = time.thread_time()
            self.longest = max(self.longest, now - before)
            before = now
