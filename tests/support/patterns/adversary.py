"""Input on which a regular expression backtracks, generated from the expression itself.

A backtracking matcher takes more than linear time where one text can be read in more ways the longer it is (Weber and
Seidl, "On the degree of ambiguity of finite automata"): polynomially many where a word leads from p to p, from p to q
and from q to q; exponentially many where it leads from p to p in two ways.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .automaton import START, Automaton, automaton

LONGEST = 32_768
# A linear pattern needs 3 ms for the longest text at most, a quadratic one 250 ms at least.
MOST_SECONDS = 0.05
_SEARCHING = frozenset(("search", "sub", "subn", "split", "findall", "finditer"))
_MOST_SUFFIXES = 3
# Up to this length one more repetition at a time: exponential patterns take twice as long with each.
_ONE_BY_ONE = 64
_ENDS = ("", "\x00", "\x01", "\n", "!", "~", " ", "a", "\x7f", "\U0010ffff")

Successor = Callable[[Any], Iterator[tuple[Any, int]]]


@dataclass(frozen=True, slots=True)
class Adversary:
    kind: str
    prefix: str
    pump: str
    suffix: str = ""

    def text(self, length: int) -> str:
        return self.prefix + self.pump * max(1, length // len(self.pump)) + self.suffix


@dataclass(frozen=True, slots=True)
class Slow:
    adversary: Adversary
    length: int
    seconds: float


class Attack:
    """What can be tried against a pattern that is used by this method of it."""

    def __init__(self, pattern: re.Pattern[Any], method: str) -> None:
        self.pattern = pattern
        self.method = method
        self._made: Automaton = automaton(pattern, searches=method in _SEARCHING)

    def ambiguities(self) -> list[Adversary]:
        """A word that can be repeated in polynomially or exponentially many ways, for each two parts that allow it."""
        return [*self._exponential(), *self._polynomial()]

    def slow(self) -> Slow | None:
        """The first of all adversaries that takes too long on the real engine."""
        return next((slow for one in self.adversaries() if (slow := self._measured(one)) is not None), None)

    def adversaries(self) -> Iterator[Adversary]:
        """Those of the ambiguities, and one for each repeat and each two repeats that share a character."""
        for one in dict.fromkeys([*self.ambiguities(), *self._repeats()]):
            for suffix in self._suffixes(one):
                yield Adversary(one.kind, one.prefix, one.pump, suffix)

    def _exponential(self) -> Iterator[Adversary]:
        for p in self._cyclic:
            word = self._word((p, p, False), (p, p, True), self._two_ways(p))
            if word is not None:
                yield Adversary("exponential", self._prefix(p), word)

    def _polynomial(self) -> Iterator[Adversary]:
        for p in self._cyclic:
            for q in self._cyclic:
                if p == q or not self._reaches(p, q) or (p == self._made.skipping and q in self._made.accepting):
                    continue  # a search succeeds as soon as it comes to such a q, and so never skips what it accepts
                word = self._word((p, p, q), (p, q, q), self._three_runs(p, q))
                if word is not None:
                    yield Adversary("polynomial", self._prefix(p), word)

    def _repeats(self) -> Iterator[Adversary]:
        classes = self._made.classes
        for p in self._cyclic:
            cycle = self._word(p, p, self._one_run)
            assert cycle is not None
            yield Adversary("repeat", self._prefix(p), cycle)
            for q in self._cyclic:
                if mask := classes[p] & classes[q]:
                    yield Adversary("two repeats", self._prefix(p), self._made.character(mask))

    def _suffixes(self, one: Adversary) -> list[str]:
        """Ends with which the pattern does not match; where there are none, any."""
        ends = [end for end in _ENDS if self._is_text or end <= "\xff"]
        failing = [end for end in ends if not self._run(one.prefix + one.pump * 3 + end)]
        return (failing or ends)[:_MOST_SUFFIXES]

    def _measured(self, one: Adversary) -> Slow | None:
        """In small steps, so that not even exponential growth goes from little to endless between two of them."""
        length = len(one.pump)
        while length < LONGEST:
            longer = length * 5 // 4 if length > _ONE_BY_ONE else 0
            length = min(LONGEST, max(length + len(one.pump), longer))
            text = one.text(length)
            seconds = self._seconds(text)
            if MOST_SECONDS < seconds < 10 * MOST_SECONDS:
                seconds = min(seconds, self._seconds(text), self._seconds(text))
            if seconds > MOST_SECONDS:
                return Slow(one, length, seconds)
        return None

    def _seconds(self, text: str) -> float:
        """Of this thread's own work: what else the machine does is not counted."""
        began = time.thread_time()
        self._run(text)
        return time.thread_time() - began

    def _run(self, text: str) -> bool:
        given: Any = text if self._is_text else text.encode("latin-1")
        match self.method:
            case "sub" | "subn":
                return self.pattern.subn(given[:0], given)[1] > 0
            case "split":
                return len(self.pattern.split(given)) > 1
            case "findall" | "finditer":
                return sum(1 for _ in self.pattern.finditer(given)) > 0
            case _:
                return getattr(self.pattern, self.method)(given) is not None

    @property
    def _is_text(self) -> bool:
        return isinstance(self.pattern.pattern, str)

    @cached_property
    def _reachable(self) -> list[set[int]]:
        """From each position, in one step or more."""
        found: list[set[int]] = []
        for position in range(len(self._made.classes)):
            reached, waiting = set[int](), [position]
            while waiting:
                new = {to for to, _ in self._made.steps[waiting.pop()]} - reached
                reached |= new
                waiting += new
            found.append(reached)
        return found

    @cached_property
    def _cyclic(self) -> list[int]:
        reached = self._reachable[START]
        return [p for p in range(len(self._made.classes)) if p in reached and p in self._reachable[p]]

    def _reaches(self, position: int, goal: int) -> bool:
        return position == goal or goal in self._reachable[position]

    def _prefix(self, position: int) -> str:
        word = self._word(START, position, self._one_run)
        assert word is not None
        return word

    def _one_run(self, state: int) -> Iterator[tuple[int, int]]:
        return iter(self._made.steps[state])

    def _two_ways(self, goal: int) -> Successor:
        """Two runs over the same text, and whether they have been different yet."""
        steps = self._made.steps

        def successors(state: tuple[int, int, bool]) -> Iterator[tuple[Any, int]]:
            one, other, differ = state
            for index, (a, mask_a) in enumerate(steps[one]):
                for jndex, (b, mask_b) in enumerate(steps[other]):
                    if mask_a & mask_b and self._reaches(a, goal) and self._reaches(b, goal):
                        yield (a, b, differ or one != other or index != jndex), mask_a & mask_b

        return successors

    def _three_runs(self, p: int, q: int) -> Successor:
        """Over the same text: from p to p, from p to q, from q to q."""
        steps = self._made.steps

        def successors(state: tuple[int, int, int]) -> Iterator[tuple[Any, int]]:
            for a, mask_a in steps[state[0]]:
                for b, mask_b in steps[state[1]] if self._reaches(a, p) else ():
                    both = mask_a & mask_b if self._reaches(b, q) else 0
                    for c, mask_c in steps[state[2]] if both else ():
                        if both & mask_c and self._reaches(c, q):
                            yield (a, b, c), both & mask_c

        return successors

    def _word(self, start: Any, goal: Any, successors: Successor) -> str | None:
        """The shortest that leads from one to the other, in one step or more."""
        came_from: dict[Any, tuple[Any, int]] = {}
        level = [start]
        while level and goal not in came_from:
            following: list[Any] = []
            for state in level:
                for after, mask in successors(state):
                    if after not in came_from:
                        came_from[after] = (state, mask)
                        following.append(after)
            level = following
        return self._spelled(start, goal, came_from) if goal in came_from else None

    def _spelled(self, start: Any, goal: Any, came_from: dict[Any, tuple[Any, int]]) -> str:
        word = ""
        while not word or goal != start:
            goal, mask = came_from[goal]
            word = self._made.character(mask) + word
        return word
