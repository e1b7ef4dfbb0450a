"""Refund amounts of an order, from its lines and earlier refunds."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api.catalog import allocate

# Rows of billing's refunds, and of an order's lines.
Refunds = Iterable[Row[Any]]
Lines = Sequence[Row[Any]]


@dataclass(frozen=True, slots=True)
class ReturnedUnits:
    """So many units of a line, for so much money together."""

    quantity: int = 0
    amount: int = 0
    # How many of them go back on sale.
    restocked: int = 0

    def __add__(self, other: "ReturnedUnits") -> "ReturnedUnits":
        return ReturnedUnits(
            self.quantity + other.quantity, self.amount + other.amount, self.restocked + other.restocked
        )


# By the line's number.
Returns = Mapping[int, ReturnedUnits]


def refund_memo(order_id: str, returns: Returns) -> dict[str, Any]:
    """What billing keeps with a refund, and gives back when the money has gone."""
    return {
        "order": order_id,
        "lines": [[line, each.quantity, each.amount, each.restocked] for line, each in returns.items()],
    }


def sum_returns(refunds: Refunds) -> Returns:
    """What the refunds return of each line; one that was made at the gateway names none."""
    returns: dict[int, ReturnedUnits] = {}
    for refund in refunds:
        memo = json.loads(refund.memo or "{}")
        for line, quantity, amount, restocked in memo.get("lines", ()):
            returns[line] = returns.get(line, ReturnedUnits()) + ReturnedUnits(quantity, amount, restocked)
    return returns


def paid_amounts(lines: Lines, discount: int, step: int) -> dict[int, int]:
    """What was paid for each line: its amount less its part of the discount, to the last `step` (see `money.step`)."""
    parts = allocate(discount // step, [line.amount // step for line in lines])
    return {line.line: line.amount - part * step for line, part in zip(lines, parts, strict=True)}


def refundable_units(line: Row[Any], quantity: int, paid: int, gone: ReturnedUnits, step: int) -> ReturnedUnits:
    """So many units of a line, for which `paid` was paid and of which some have gone: all of them are all of it."""
    due = paid // step * (gone.quantity + quantity) // line.quantity * step
    return ReturnedUnits(quantity, max(due - gone.amount, 0))
