"""Meters, and what calls are refused for before anything is counted."""

from dataclasses import dataclass
from typing import Literal

from dream_api.core.db import BatchTx, Tx
from dream_api.core.errors import Invalid
from dream_api.platforms import Project, draw
from dream_api.usage import counting, queries
from dream_api.usage.deciding import Call, Standing

Aggregation = Literal["sum", "distinct"]

# The meter that every project has.
REQUESTS = "requests"
LARGEST_QUANTITY = 10**9


class UnknownMeter(Invalid):
    code = "unknown_meter"
    hint = "Use one of the meters that the sentence names."


class QuantityOutOfRange(Invalid):
    code = "quantity_out_of_range"
    hint = f"Send a whole number from 1 to {LARGEST_QUANTITY:,}; split what is larger."


class CountTooLarge(Invalid):
    code = "count_too_large"
    hint = "Count larger units: a count stays below 2^53, so that every JSON reader reads it exactly."


@dataclass(frozen=True, slots=True)
class Meter:
    """What is counted in a project."""

    no: int
    name: str
    aggregation: Aggregation


async def create_meter(tx: Tx, project: Project, name: str, aggregation: Aggregation = "sum") -> Meter:
    meter = Meter(await draw(tx, f"meters:{project.platform_no}"), name, aggregation)
    await queries.insert_meter(
        tx,
        {
            "platform_no": project.platform_no,
            "meter_no": meter.no,
            "project_no": project.no,
            "name": name,
            "aggregation": aggregation,
        },
    )
    return meter


async def meters_of(tx: Tx, platform_no: int, project_no: int) -> dict[str, Meter]:
    """A project's meters by name."""
    rows = await queries.meters_of_project(tx, platform_no, project_no)
    return {row.name: Meter(row.meter_no, row.name, row.aggregation) for row in rows}


async def standings(tx: BatchTx, call: Call) -> tuple[Standing, ...]:
    """How the call's limits stand, without counting it."""
    state = await counting.peek(tx, call)
    whose = (call.platform_no, call.customer_no, call.meter_no)
    return tuple(
        Standing(limit, state.counts.get((*whose, *limit.key), 0), state.held.get(whose, 0)) for limit in call.limits
    )
