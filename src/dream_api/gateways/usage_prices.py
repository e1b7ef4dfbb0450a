"""Usage prices of a subscription, carried through the gateway's metadata.

Who changes plans inside a period still owes what was used by the meters that the new plan does not bill: their prices
are carried to the end of that period.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dream_api.core import clock
from dream_api.gateways.contract import LineItem


@dataclass(frozen=True, slots=True)
class UsagePrices:
    """Ids of prices; those carried are of the one period that starts at `carried_for`.

    `ends_it`: the change began a new period, so that the lasting ones bill nothing of the one that it ended.
    """

    lasting: tuple[str, ...]
    carried: tuple[str, ...] = ()
    carried_for: int | None = None
    ends_it: bool = False

    def of_period(self, starts_at: int) -> tuple[str, ...]:
        if starts_at != self.carried_for:
            return self.lasting
        return self.carried if self.ends_it else self.lasting + self.carried

    @classmethod
    def from_metadata(cls, metadata: dict[str, str]) -> "UsagePrices":
        carried_for = metadata.get("carriedFor")
        return cls(
            _listed(metadata.get("usage", "")),
            _listed(metadata.get("carried", "")),
            int(carried_for) * clock.SECOND if carried_for else None,
            bool(metadata.get("carriedEnds")),
        )

    @classmethod
    def from_json(cls, text: str) -> "UsagePrices":
        stored = json.loads(text)
        return cls(tuple(stored["lasting"]), tuple(stored["carried"]), stored["carriedFor"], stored["endsIt"])

    def to_json(self) -> str:
        stored: dict[str, Any] = {
            "lasting": self.lasting,
            "carried": self.carried,
            "carriedFor": self.carried_for,
            "endsIt": self.ends_it,
        }
        return json.dumps(stored)

    def to_metadata(self) -> dict[str, str]:
        """An empty value clears the key at the gateway."""
        carried_for = "" if self.carried_for is None else str(self.carried_for // clock.SECOND)
        return {
            "usage": ",".join(self.lasting),
            "carried": ",".join(self.carried),
            "carriedFor": carried_for,
            "carriedEnds": "1" if self.ends_it else "",
        }


def usage_prices_of(lines: Sequence[LineItem]) -> UsagePrices:
    return UsagePrices(tuple(line.price.id for line in lines if line.price.type == "usage"))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))
