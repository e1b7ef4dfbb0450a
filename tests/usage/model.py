"""The gate in plain Python: what the stored counters must say, told as simply as it can be told."""

from collections import defaultdict
from dataclasses import dataclass, field

User = str
Period = int


@dataclass
class Model:
    """One project and mode: counts by user and period, plans, and the keys that were used."""

    limits: dict[str, int | None]
    default: str
    plans: dict[User, str] = field(default_factory=dict)
    blocked: set[User] = field(default_factory=set)
    counts: dict[tuple[User, Period], int] = field(default_factory=lambda: defaultdict(int))
    answers: dict[str, tuple[tuple[User, int], tuple[str, int, int | None]]] = field(default_factory=dict)
    customers: set[User] = field(default_factory=set)

    def count(self, user: User, quantity: int, period: Period, plan: str | None, key: str | None) -> tuple[object, ...]:
        """("allowed", plan, count, limit), ("refused", …), ("blocked",) or ("mismatch",)."""
        if user in self.blocked:
            return ("blocked",)
        if key is not None and key in self.answers:
            told, answer = self.answers[key]
            return ("allowed", *answer) if told == (user, quantity) else ("mismatch",)
        name = plan or self.plans.get(user) or self.default
        limit = self.limits[name]
        before = self.counts[user, period]
        if limit is not None and before + quantity > limit:
            return ("refused", name, before, limit)
        self.counts[user, period] = before + quantity
        self.customers.add(user)
        answer = (name, before + quantity, limit)
        if key is not None:
            self.answers[key] = ((user, quantity), answer)
        return ("allowed", *answer)

    def life(self, user: User) -> int:
        return sum(count for (who, _), count in self.counts.items() if who == user)
