"""Entitlements: the plan of a customer and its limits, as metering uses them."""

from dataclasses import dataclass

from dream_api import platforms
from dream_api.catalog import queries
from dream_api.core.db import Tx
from dream_api.core.errors import Forbidden, Invalid
from dream_api.platforms import Mode
from dream_api.usage import Limit, Meter, Window, meters_of

# Cached by `Plans.cache_key(project, mode)`.
CACHE_KIND = platforms.PLANS_KIND


class UnknownPlan(Invalid):
    code = "unknown_plan"
    hint = "Use one of the tiers in the message, or create one with `dream-api tier set`."


class NoPlan(Forbidden):
    code = "no_plan"
    hint = "Send X-User-Plan, set the customer's plan, or give the project a default tier."


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A tier's name and its limits, by the number of the meter they limit; equal only to itself."""

    name: str
    limits: dict[int, tuple[Limit, ...]]


@dataclass(frozen=True, slots=True)
class Plans:
    """All tiers of a project and mode, the meters they may limit, and the project's time in that mode."""

    by_name: dict[str, Plan]
    default: Plan | None
    meters: dict[str, Meter]
    # Offset of the project's test clock to real time, in microseconds.
    ahead: int

    @staticmethod
    def cache_key(project_id: str, mode: Mode) -> str:
        return f"{project_id}:{mode}"

    def find(self, name: str, *, param: str = "X-User-Plan") -> Plan:
        plan = self.by_name.get(name)
        if plan is None:
            known = ", ".join(sorted(self.by_name)) or "none yet"
            raise UnknownPlan(f"There is no such plan; the project's tiers are: {known}.", param=param)
        return plan

    def of_customer(self, plan: str | None) -> Plan:
        """The customer's own plan, else the project's default tier."""
        own = self.by_name.get(plan) if plan is not None else None
        if own is not None:
            return own
        if self.default is None:
            raise NoPlan("The customer has no plan and the project has no default tier.")
        return self.default


async def load_plans(tx: Tx, platform_no: int, project_id: str, project_no: int, mode: Mode) -> Plans:
    limits: dict[str, dict[int, tuple[Limit, ...]]] = {}
    for row in await queries.limits_of_project(tx, platform_no, project_id, mode):
        limit = Limit(row.meter_no, Window[row.window.upper()], row.kind, row.max)
        of_tier = limits.setdefault(row.tier_id, {})
        of_tier[row.meter_no] = (*of_tier.get(row.meter_no, ()), limit)
    by_name: dict[str, Plan] = {}
    default: Plan | None = None
    for tier in await queries.tiers_of_project(tx, platform_no, project_id, mode):
        by_name[tier.name] = Plan(tier.name, limits.get(tier.id, {}))
        if tier.is_default:
            default = by_name[tier.name]
    meters = await meters_of(tx, platform_no, project_no)
    return Plans(by_name, default, meters, await platforms.clock_offset(tx, platform_no, project_id, mode))
