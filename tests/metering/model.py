"""The gate in plain Python: what must be counted and answered, told as simply as it can be told.

Nothing is kept but what was admitted; every count is the sum over it.
"""

import calendar
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

DISTINCT = "devices"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# meter, window → kind, max
Limits = dict[tuple[str, str], tuple[str, int | None]]
# window, count, max, remaining
Shown = tuple[str, int, int | None, int | None]


def moment(at: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at)


def months_after(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


def calendar_month(at: datetime) -> tuple[datetime, datetime]:
    start = datetime(at.year, at.month, 1, tzinfo=UTC)
    return start, months_after(start, 1)


@dataclass
class Person:
    plan: str | None = None
    paid: tuple[datetime, datetime] | None = None
    left: tuple[datetime, datetime] | None = None
    is_blocked: bool = False

    def has_lapsed(self, now: datetime) -> bool:
        return self.paid is not None and now >= self.paid[1] + timedelta(hours=72)

    def own_period(self, now: datetime) -> tuple[datetime, datetime] | None:
        """Walk from the start of what was paid for, month by month, to the one that `now` lies in."""
        if self.paid is None or now < self.paid[0] or self.has_lapsed(now):
            return None
        start, end = self.paid
        is_shorter = months_after(start, 1) > end
        steps = (lambda n: start + (end - start) * n) if is_shorter else (lambda n: months_after(start, n))
        edges = sorted({steps(n) for n in range(60)} | {end})
        return next((a, b) for a, b in pairwise(edges) if a <= now < b)

    def period(self, now: datetime) -> tuple[datetime, datetime]:
        return self.own_period(now) or calendar_month(now)

    def put_on(self, plan: str | None, paid: tuple[datetime, datetime] | None, now: datetime) -> None:
        if paid is None:
            self.left = self.own_period(now) or self.left
        else:
            if self.paid is None and self.left is not None and self.left[0] <= paid[0] < self.left[1]:
                paid = (self.left[0], paid[1])
            self.left = None
        self.plan, self.paid = plan, paid


@dataclass(frozen=True)
class Fact:
    """Something that was counted."""

    who: str
    meter: str
    at: datetime
    period: datetime
    quantity: int


@dataclass
class Hold:
    who: str
    meter: str
    plan: str | None
    quantity: int
    ends: datetime


@dataclass
class Model:
    """One project in one mode, and its platform's level where that binds."""

    tiers: dict[str, Limits]
    default: str
    level: Limits | None = None
    # How far ahead of the world the project is, in microseconds.
    ahead: int = 0
    # who, meter → periods that are closed, by their starts: until when
    closed: dict[tuple[str, str], dict[datetime, datetime]] = field(default_factory=lambda: defaultdict(dict))
    people: dict[str, Person] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    # who, meter, window, start → subjects
    subjects: dict[tuple[str, str, str, datetime], set[str]] = field(default_factory=lambda: defaultdict(set))
    holds: dict[str, Hold] = field(default_factory=dict)
    answers: dict[str, tuple[object, object]] = field(default_factory=dict)
    told: dict[tuple[str, str, str, datetime], int] = field(default_factory=dict)
    events: list[tuple[str, str, str, int, int]] = field(default_factory=list)

    # When it is.

    def present(self, now: int) -> datetime:
        """The project's moment at a moment of the world."""
        return moment(now + self.ahead)

    def placed(self, now: int, who: str, meter: str) -> tuple[datetime, tuple[datetime, datetime]]:
        """The moment and the period in which a call counts: after all that is closed, where its own period is."""
        person, present, closed = self.people.get(who, Person()), self.present(now), self.closed[who, meter]
        period = person.period(present)
        if period[0] in closed:
            until = max(closed.values())
            present = max(present, until)
            period = person.period(present)
            if period[0] in closed:
                period = (until, period[1])
        return present, period

    # What was counted.

    def window(self, name: str, at: datetime, period: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        hour = at.replace(minute=0, second=0, microsecond=0)
        return {
            "lifetime": (_EPOCH, datetime.max.replace(tzinfo=UTC)),
            "hour": (hour, hour + timedelta(hours=1)),
            "day": (midnight, midnight + timedelta(days=1)),
            "month": calendar_month(at),
            "period": period,
        }[name]

    def counted(self, who: str, meter: str, name: str, span: tuple[datetime, datetime]) -> int:
        if meter in (DISTINCT, "active_users"):
            return len(self.subjects[who, meter, name, span[0]])
        return sum(
            fact.quantity
            for fact in self.facts
            if (fact.who, fact.meter) == (who, meter)
            and (fact.period == span[0] if name == "period" else span[0] <= fact.at < span[1])
        )

    def held(self, who: str, meter: str, now: datetime) -> int:
        living = [hold for hold in self.holds.values() if hold.ends > now]
        if who == "platform":
            return len(living) if meter == "requests" else 0
        return sum(hold.quantity for hold in living if (hold.who, hold.meter) == (who, meter))

    # What is answered.

    def count(
        self,
        now: int,
        who: str,
        meter: str = "requests",
        quantity: int = 1,
        *,
        plan: str | None = None,
        subject: str | None = None,
        at: int | None = None,
        key: str | None = None,
    ) -> tuple[object, ...]:
        """("allowed", plan, limits), ("refused" or "over level", plan, limit that refused, …) or (code,)."""
        ready = self.ready(now, who, meter, quantity, plan, at)
        if isinstance(ready, str):
            return (ready,)
        if meter == DISTINCT:
            subject = subject or who
        if key is not None and key in self.answers:
            told, answer = self.answers[key]
            return ("allowed", *answer) if told == (who, meter, quantity, subject, at) else ("idempotency_mismatch",)
        name, period, when = ready
        refused = self.refusal(moment(now), who, meter, quantity, name, period, when, subject)
        if refused is not None:
            return refused
        self.people.setdefault(who, Person())
        self.add(moment(now), who, meter, quantity, name, period, when, subject)
        answer = (name, self.shown(moment(now), who, meter, self.limits(name, meter, quantity), period, when))
        if key is not None:
            self.answers[key] = ((who, meter, quantity, subject, at), answer)
        return ("allowed", *answer)

    def ready(
        self, now: int, who: str, meter: str, quantity: int, plan: str | None, at: int | None
    ) -> str | tuple[str, tuple[datetime, datetime], datetime]:
        person = self.people.get(who, Person())
        if meter == DISTINCT and quantity != 1:
            return "quantity_out_of_range"
        if person.is_blocked:
            return "customer_blocked"
        present, period = self.placed(now, who, meter)
        when = present if at is None else moment(at)
        if not period[0] <= when < period[1] or when > present + timedelta(minutes=5):
            return "timestamp_out_of_range"
        own = None if person.has_lapsed(present) else person.plan
        return plan or own or self.default, period, when

    def limits(self, tier: str, meter: str, quantity: int = 1) -> list[tuple[str, str, int | None]]:
        """window, kind, max: in the order of the windows' names in the tables."""
        found = [(window, *limit) for (name, window), limit in self.tiers[tier].items() if name == meter]
        found.sort(key=lambda limit: "life" if limit[0] == "lifetime" else limit[0])
        if not found or (quantity < 0 and all(window != "period" for window, *_ in found)):
            found.append(("period", "hard", None))
        return found

    def refusal(
        self,
        now: datetime,
        who: str,
        meter: str,
        quantity: int,
        tier: str,
        period: tuple[datetime, datetime],
        when: datetime,
        subject: str | None,
    ) -> tuple[object, ...] | None:
        if quantity < 0:
            life = self.counted(who, meter, "lifetime", self.window("lifetime", when, period))
            least = min(life, self.counted(who, meter, "period", period))
            return ("correction_below_zero",) if least + quantity < 0 else None
        limits = self.limits(tier, meter)
        full = self.full(now, who, meter, limits, quantity, period, when, subject)
        if full is not None:
            return ("tier_limit_reached", tier, full, self.shown(now, who, meter, limits, period, when))
        if self.level is None:
            return None
        month = calendar_month(now)
        for of_level in ("requests", "active_users"):
            limits = self.level_limits(of_level)
            subject = who if of_level == "active_users" else None
            full = self.full(now, "platform", of_level, limits, 1, month, now, subject)
            if full is not None:
                return ("level_limit_reached", full, self.shown(now, "platform", of_level, limits, month, now))
        return None

    def level_limits(self, meter: str) -> list[tuple[str, str, int | None]]:
        assert self.level is not None
        return sorted((window, *limit) for (name, window), limit in self.level.items() if name == meter)

    def full(
        self,
        now: datetime,
        who: str,
        meter: str,
        limits: list[tuple[str, str, int | None]],
        quantity: int,
        period: tuple[datetime, datetime],
        when: datetime,
        subject: str | None,
    ) -> str | None:
        """The first hard limit's window that has no room."""
        for window, kind, most in limits:
            span = self.window(window, when, period)
            if subject is not None and subject in self.subjects[who, meter, window, span[0]]:
                continue
            held = self.held(who, meter, now)
            if kind == "hard" and most is not None and self.counted(who, meter, window, span) + held + quantity > most:
                return window
        return None

    def add(
        self,
        now: datetime,
        who: str,
        meter: str,
        quantity: int,
        tier: str,
        period: tuple[datetime, datetime],
        when: datetime,
        subject: str | None,
    ) -> None:
        limits = self.limits(tier, meter, quantity)
        if subject is None:
            self.facts.append(Fact(who, meter, when, period[0], quantity))
        self.tell(who, meter, limits, period, when, subject, quantity)
        if self.level is not None and quantity > 0:
            month = calendar_month(now)
            self.facts.append(Fact("platform", "requests", now, month[0], 1))
            self.tell("platform", "requests", self.level_limits("requests"), month, now, None, 1)
            self.tell("platform", "active_users", self.level_limits("active_users"), month, now, who, 1)

    def tell(
        self,
        who: str,
        meter: str,
        limits: list[tuple[str, str, int | None]],
        period: tuple[datetime, datetime],
        when: datetime,
        subject: str | None,
        quantity: int,
    ) -> None:
        if subject is not None:
            self.keep_others(who, meter, limits, period, when, subject)
        for window, _, most in limits:
            span = self.window(window, when, period)
            place = (who, meter, window, span[0])
            if subject is not None:
                if subject in self.subjects[place]:
                    continue
                self.subjects[place].add(subject)
            count = self.counted(who, meter, window, span)
            for percent in (50, 80, 100):
                if most and quantity > 0 and count * 100 >= percent * most and self.told.get(place, 0) < percent:
                    self.told[place] = percent
                    self.events.append((who, meter, window, percent, count))

    def keep_others(
        self,
        who: str,
        meter: str,
        limits: list[tuple[str, str, int | None]],
        period: tuple[datetime, datetime],
        when: datetime,
        subject: str,
    ) -> None:
        """Subjects are also counted in windows that only an earlier call's plan has named, from then on."""
        named = {window for window, *_ in limits}
        for window in {"lifetime", "hour", "day", "month", "period"} - named:
            known = self.subjects[who, meter, window, self.window(window, when, period)[0]]
            if known:
                known.add(subject)

    def shown(
        self,
        now: datetime,
        who: str,
        meter: str,
        limits: list[tuple[str, str, int | None]],
        period: tuple[datetime, datetime],
        when: datetime,
    ) -> tuple[Shown, ...]:
        held = self.held(who, meter, now)
        told: list[Shown] = []
        for window, _, most in limits:
            count = self.counted(who, meter, window, self.window(window, when, period))
            told.append((window, count, most, None if most is None else max(0, most - count - held)))
        return tuple(told)

    def read(self, now: int, who: str, meter: str) -> tuple[object, ...]:
        ready = self.ready(now, who, meter, 1, None, None)
        if isinstance(ready, str):
            return (ready,)
        tier, period, when = ready
        return ("allowed", tier, self.shown(moment(now), who, meter, self.limits(tier, meter), period, when))

    # Reservations.

    def reserve(self, now: int, who: str, meter: str, quantity: int, plan: str | None) -> tuple[object, ...]:
        ready = self.ready(now, who, meter, quantity, plan, None)
        if isinstance(ready, str):
            return (ready,)
        tier, period, when = ready
        refused = self.refusal(moment(now), who, meter, quantity, tier, period, when, None)
        if refused is None:
            self.people.setdefault(who, Person())
        return refused or ("allowed",)

    def hold(self, now: int, name: str, who: str, meter: str, plan: str | None, quantity: int, seconds: int) -> None:
        self.holds[name] = Hold(who, meter, plan, quantity, moment(now) + timedelta(seconds=seconds))

    def settle(self, now: int, name: str, quantity: int) -> tuple[object, ...]:
        hold = self.holds.get(name)
        if hold is None:
            return ("reservation_settled",)
        if quantity > hold.quantity:
            return ("settlement_too_large",)
        if hold.ends <= moment(now):
            return ("reservation_expired",)
        del self.holds[name]
        person = self.people[hold.who]
        present, period = self.placed(now, hold.who, hold.meter)
        own = None if person.has_lapsed(present) else person.plan
        tier = hold.plan or own or self.default
        if quantity:
            self.add(moment(now), hold.who, hold.meter, quantity, tier, period, present, None)
        return (
            "allowed",
            tier,
            self.shown(moment(now), hold.who, hold.meter, self.limits(tier, hold.meter), period, present),
        )

    # Closings.

    def close(self, now: int, who: str, meter: str, back: int) -> tuple[datetime, int]:
        """Close the period that is open, or one of those before; its start and what was counted in it."""
        _, period = self.placed(now, who, meter)
        known = sorted({fact.period for fact in self.facts if (fact.who, fact.meter) == (who, meter)} | {period[0]})
        start = known[max(0, len(known) - 1 - back)]
        self.closed[who, meter].setdefault(start, self.present(now))
        return start, self.counted(who, meter, "period", (start, start))
