"""What tiers allow: their limits, and the meters that come to be with them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dream_api.catalog import queries
from dream_api.core.db import Tx
from dream_api.core.errors import ValidationFailed
from dream_api.platforms import Project
from dream_api.usage import LARGEST_COUNT, REQUESTS, Aggregation, Kind, Meter, Window, create_meter, meters_of

# Of tiers and meters.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
MOST_LIMITS = 50


@dataclass(frozen=True, slots=True)
class TierLimit:
    """How much of a meter a tier allows in a window; `max` None: it is counted, not limited."""

    max: int | None
    meter: str = REQUESTS
    window: Window = Window.PERIOD
    kind: Kind = "hard"
    # How a meter that is not there yet counts; None: of one that is there, it does not matter.
    aggregation: Aggregation | None = None

    @property
    def is_of_period(self) -> bool:
        """Whether it is a tier's `limit`: requests in a billing period."""
        return (self.meter, self.window) == (REQUESTS, Window.PERIOD)


async def put_limits(tx: Tx, project: Project, tier_id: str, limits: Sequence[TierLimit]) -> tuple[Meter, ...]:
    """Upsert these limits and leave the tier's others; returns the meters that were created for them."""
    meters = await meters_of(tx, project.platform_no, project.no)
    made: list[Meter] = []
    for limit in limits:
        _refuse_improper(limit)
        meter = meters.get(limit.meter)
        if meter is None:
            meter = meters[limit.meter] = await create_meter(tx, project, limit.meter, limit.aggregation or "sum")
            made.append(meter)
        elif limit.aggregation not in (None, meter.aggregation):
            raise ValidationFailed(
                f"The meter {meter.name} already exists with the aggregation {meter.aggregation}.",
                param="limits",
                hint="Leave aggregation out, or choose another name for a new meter.",
            )
        row = {"tier_id": tier_id, "meter_no": meter.no, "window": limit.window.name.lower(), "kind": limit.kind}
        await queries.put_limit(tx, project.platform_no, row | {"max": limit.max})
    return tuple(made)


async def replace_limits(tx: Tx, project: Project, tier_id: str, limits: Sequence[TierLimit]) -> tuple[Meter, ...]:
    """Replace all limits of the tier; returns the meters that were created for them."""
    if len(limits) > MOST_LIMITS:
        raise ValidationFailed(f"A tier can have at most {MOST_LIMITS} limits.", param="limits")
    if len({(limit.meter, limit.window) for limit in limits}) < len(limits):
        raise ValidationFailed("A tier can limit each window of a meter only once.", param="limits")
    await queries.delete_limits(tx, project.platform_no, tier_id)
    return await put_limits(tx, project, tier_id, limits)


async def ensure_priced_meters(tx: Tx, project: Project, meters: Sequence[str]) -> tuple[Meter, ...]:
    """Create and return the missing meters of usage prices; ValidationFailed where one counts distinct subjects."""
    known = await meters_of(tx, project.platform_no, project.no)
    for name in meters:
        if name in known and known[name].aggregation != "sum":
            raise ValidationFailed(
                f"The meter {name} counts distinct subjects and cannot be priced by quantity.",
                param="prices",
                hint="Use a meter with the aggregation sum, or a new meter.",
            )
    missing = sorted({*meters} - known.keys())
    return tuple([await create_meter(tx, project, name) for name in missing])


def _refuse_improper(limit: TierLimit) -> None:
    if limit.max is not None and not 0 <= limit.max <= LARGEST_COUNT:
        raise ValidationFailed(f"A limit must be a whole number from 0 to {LARGEST_COUNT:,}.", param="limits")
    if not NAME.fullmatch(limit.meter):
        raise ValidationFailed(
            "A meter name must be 1 to 63 characters: a-z, 0-9, - and _, beginning with a-z or 0-9.", param="limits"
        )
