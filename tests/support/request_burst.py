"""A burst of requests, and how many of them a rate limit may have admitted meanwhile."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flood:
    """What so many requests at once were answered, and how long that took."""

    answers: Counter[str]
    seconds: float

    @property
    def admitted(self) -> int:
        return self.answers.total() - self.answers["rate_limited"]

    def was_limited_to(self, per_second: int) -> bool:
        """Whether a bucket of this rate, full at first, explains what was admitted, however slow the machine is."""
        return per_second <= self.admitted <= per_second * (1 + self.seconds)


async def flood(ask: Callable[[int], Awaitable[str]], times: int, *, at_once: int = 1_000) -> Flood:
    """`ask` answers the code of the refusal, or any other word; so many at once, so many altogether."""
    lines = asyncio.Semaphore(at_once)

    async def in_turn(turn: int) -> str:
        async with lines:
            return await ask(turn)

    began = time.monotonic()
    answers = Counter(await asyncio.gather(*(in_turn(turn) for turn in range(times))))
    return Flood(answers, time.monotonic() - began)
