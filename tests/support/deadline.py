"""Deadlines for tests, extended on a busy machine."""

import time

# What even then is little.
_SPARE = 0.3
# A look takes less on a machine that has time for it.
_LONGEST_LOOK = 0.05


class Second:
    """Begins now. Whoever waits looks again and again; by what a look takes longer than it should, because the machine
    does other things, the second is longer.

        second = Second()
        while not await is_in_force():
            assert not second.is_over()
            await asyncio.sleep(0.01)
    """

    def __init__(self, seconds: float = 1) -> None:
        self._left = seconds + _SPARE
        self._looked_at = time.monotonic()

    def is_over(self) -> bool:
        """Asked once with every look."""
        now = time.monotonic()
        self._left -= min(now - self._looked_at, _LONGEST_LOOK)
        self._looked_at = now
        return self._left < 0
