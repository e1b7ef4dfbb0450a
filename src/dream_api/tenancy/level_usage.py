"""Usage of a platform against the limits of its level."""

from collections.abc import Sequence
from dataclasses import dataclass

from dream_api import catalog, customers, usage
from dream_api.catalog import Home, Level, Plan
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.customers import Customer
from dream_api.metering.open_limits import BillingPeriods
from dream_api.platforms import Mode, Platform, ProjectScope
from dream_api.usage import Increment, Limit, LimitStatus, Meter, Window, window_at


@dataclass(frozen=True, slots=True)
class PlatformLevel:
    """The level of a platform: a tier of the project home, its limits, and the platform as its customer."""

    home: Home
    scope: ProjectScope
    level: Level
    plan: Plan
    customer: Customer

    def charge(self, platform: Platform, meter: Meter, quantity: int) -> Increment:
        """What `quantity` more of the meter would add to the platform at this moment; its whole life is among it."""
        now = clock.now()
        period = BillingPeriods(now).period_at(self.customer, now)
        limits = self.plan.limits.get(meter.no, ())
        if all(limit.window is not Window.LIFE for limit in limits):
            limits = (*limits, Limit(meter.no, Window.LIFE, "soft", None))
        opened = tuple(window_at(limit, now, period) for limit in limits)
        life = (platform.no, 0, meter.no)
        return Increment(life, quantity, opened, clock.hour_of(now), period.starts_at)


def home_scope(home: Home, mode: Mode) -> ProjectScope:
    return ProjectScope(home.project.platform_no, home.project.id, mode)


async def get_platform_level(tx: Tx, platform: Platform, mode: Mode) -> PlatformLevel | None:
    """The platform's level in this mode of home; the operator's own platform has none."""
    home = await catalog.find_home(tx)
    project = home.project
    if platform.no == project.platform_no:
        return None
    wanted = (project.platform_no, project.id, mode, platform.id)
    found = (await customers.find_many(tx, [wanted])).get(wanted, Customer(0, "active", None, None, None))
    plans = await catalog.load_plans(tx, project.platform_no, project.id, project.no, mode)
    name = None if customers.has_lapsed(found, clock.now()) else found.plan
    plan = plans.of_customer(name)
    levels = await catalog.list_levels(tx, mode)
    level = next(each for each in levels if each.name == plan.name)
    return PlatformLevel(home, home_scope(home, mode), level, plan, found)


async def level_usage(tx: Tx, platform: Platform, found: PlatformLevel) -> Sequence[tuple[str, LimitStatus]]:
    """The usage of each limit of the level, by the name of its meter; windows without a limit are left out."""
    statuses: list[tuple[str, LimitStatus]] = []
    for meter in (found.home.active_users, found.home.requests, found.home.members):
        charge = found.charge(platform, meter, 0)
        for standing in await usage.get_limit_statuses(tx, charge):
            if standing.limit.max is not None or meter is found.home.members:
                statuses.append((meter.name, standing))
    return statuses
