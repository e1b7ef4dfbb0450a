"""`bench/peers-results.md`, from what was measured."""

import datetime
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench import facts
from bench.load import Measured
from bench.peers import fastapi_limits, ours, pocketbase, worker
from bench.peers.counting import ALL, Counted
from bench.peers.peer import LIMITS, SMALL_PLAN, Peer

# By how much dream-api is to be the faster one, with one user and with 10,000.
MINIMUMS = {worker.NAME: 20, fastapi_limits.name_of("always", "equal work"): 4}
ONE, MANY = 1, 10_000


@dataclass(slots=True)
class Row:
    """One kind of call with so many users, and every round of it."""

    peer: Peer
    users: int
    runs: list[Measured] = field(default_factory=list)
    # Of each run: what was stored beyond what was answered.
    beyond: list[int] = field(default_factory=list)
    # Of each run: the server's computing for one call.
    cpu_micros: list[float] = field(default_factory=list)
    memory: float = 0

    @property
    def name(self) -> str:
        return self.peer.name

    @property
    def is_yardstick(self) -> bool:
        return self.peer.stored is None

    def over(self, other: "Row") -> list[float]:
        """How many times the other's speed, round by round."""
        return [mine.per_second / its.per_second for mine, its in zip(self.runs, other.runs, strict=True)]


@dataclass(slots=True)
class Results:
    """Everything that was measured, and why the rest was not."""

    rows: list[Row]
    counted: dict[str, Counted]
    missing: dict[str, str]

    def row(self, name: str, users: int) -> Row:
        return next(row for row in self.rows if row.name == name and (row.users == users or row.is_yardstick))

    def times(self, name: str, users: int) -> float:
        """How many times faster dream-api is, as the median of the rounds."""
        return statistics.median(self.row(ours.NAME, users).over(self.row(name, users)))

    def minimums(self) -> Iterator[tuple[str, bool]]:
        """Each minimum as a sentence, and whether it holds; what was not measured holds nothing and breaks nothing."""
        measured = {row.name for row in self.rows}
        for name, minimum in MINIMUMS.items():
            if name not in measured:
                yield f"dream-api ≥ {minimum} × {name}: not measured.", True
                continue
            for users in (ONE, MANY):
                times = self.times(name, users)
                verdict = "met" if times >= minimum else "**not met**"
                yield f"dream-api ≥ {minimum} × {name}, {_users(users)}: {times:.1f} ×, {verdict}.", times >= minimum


def text(results: Results, *, rounds: int, seconds: int, places: str) -> str:
    today = datetime.datetime.now(datetime.UTC)
    return "\n".join(
        [
            "# The metered call against what people would use instead",
            "",
            f"`make bench-peers` on {today:%Y-%m-%d}: {rounds} interleaved rounds of {seconds} s, one thread of wrk, "
            f"64 kept-alive connections, all on this machine; {places} Medians, with the lowest and the highest round; "
            "ratios are those of each round. [README.md](README.md) says what is compared, and what is not.",
            "",
            *_speeds(results),
            "",
            "Minimums:",
            "",
            *(f"- {sentence}" for sentence, _ in results.minimums()),
            *_simulator(results),
            "",
            "## What is stored",
            "",
            f"*At once*: {ALL} calls for one user from all connections, every answer waited for. *At the limit*: as "
            f"many against a limit of {LIMITS[SMALL_PLAN]}. *Beyond*: what a run of wrk left stored beyond what was "
            "answered; wrk hangs up with up to 64 calls in flight, so 0 to 64 is right; less is lost, more is counted "
            "twice.",
            "",
            *_books(results),
            "",
            *(f"- Not measured: {name}. {reason}" for name, reason in results.missing.items()),
            *([""] if results.missing else []),
            "| | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in _facts()),
            "",
        ]
    )


def _speeds(results: Results) -> Iterator[str]:
    yield "| what | users | calls/s | ÷ constant answer | dream-api ÷ it | CPU µs | p50 ms | p99 ms | failed | MB |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    constant = results.row(ours.CONSTANT, MANY)
    for row in results.rows:
        mine = results.row(ours.NAME, row.users)
        cells = [
            row.name,
            "" if row.is_yardstick else f"{row.users:,}",
            _spread([run.per_second for run in row.runs], ",.0f"),
            _spread(row.over(constant), ".3f"),
            "" if row.name == ours.NAME or row.is_yardstick else _spread(mine.over(row), ".1f"),
            f"{statistics.median(row.cpu_micros):.0f}",
            f"{statistics.median(run.p50 for run in row.runs):.2f}",
            f"{statistics.median(run.p99 for run in row.runs):.2f}",
            str(sum(run.failed for run in row.runs)),
            f"{row.memory:.0f}",
        ]
        yield f"| {' | '.join(cells)} |"


def _simulator(results: Results) -> Iterator[str]:
    """What the Worker's own place costs, without its KV and D1."""
    if worker.NAME not in results.counted:
        return
    constant = results.row(worker.CONSTANT, MANY)
    one, many = (_spread(results.row(worker.NAME, users).over(constant), ".3f") for users in (ONE, MANY))
    yield ""
    yield f"The Worker reaches {one} of its own simulator's constant answer with one user, {many} with {MANY:,}."


def _books(results: Results) -> Iterator[str]:
    yield "| what | a call writes | when it is answered, that is | stored of admitted at once | at the limit | beyond |"
    yield "|---|---|---|---:|---:|---:|"
    for name, counted in results.counted.items():
        rows = [row for row in results.rows if row.name == name]
        beyond = [each for row in rows for each in row.beyond]
        peer = rows[0].peer
        broken = f", {counted.free.broken} broken off" if counted.free.broken else ""
        cells = [
            name,
            peer.counts,
            peer.durability,
            f"{counted.stored} of {counted.free.admitted}{broken}",
            _at_limit(counted),
            f"{min(beyond)} to {max(beyond)}",
        ]
        yield f"| {' | '.join(cells)} |"


def _at_limit(counted: Counted) -> str:
    if counted.limited is None:
        return "has none"
    broken = f", {counted.limited.broken} broken off" if counted.limited.broken else ""
    return f"{counted.limited.admitted}{broken}" + (f" (**{counted.over_limit} over**)" if counted.over_limit else "")


def _facts() -> list[tuple[str, str]]:
    peers = fastapi_limits.versions() | worker.versions() | pocketbase.versions()
    return [*facts.machine(), *peers.items()]


def _spread(values: list[float], form: str) -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}}–{max(values):{form}})"


def _users(users: int) -> str:
    return "1 user" if users == 1 else f"{users:,} users"
