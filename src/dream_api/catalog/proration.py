"""Proration and proportional allocation of amounts, without rounding loss."""

from collections.abc import Sequence

from dream_api.core.rounding import divide_rounded


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """The amount in parts as large as the weights (all alike where none has any); the largest remainders round up."""
    if not weights:
        raise ValueError("There are no parts to distribute to.")
    total = sum(weights)
    if total == 0:
        return allocate(amount, [1] * len(weights))
    whole = abs(amount)
    parts = [whole * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -(whole * weights[place] % total))
    for place in by_remainder[: whole - sum(parts)]:
        parts[place] += 1
    return parts if amount >= 0 else [-part for part in parts]


def prorate(amount: int, elapsed: int, whole: int, *, step: int = 1) -> int:
    """The part of an amount that falls on `elapsed` of `whole`, in multiples of `step` (see `money.step`).

    The other part is the amount less this one: so both sum to it.
    """
    elapsed = min(max(elapsed, 0), whole)
    return divide_rounded(amount * elapsed, whole * step) * step
