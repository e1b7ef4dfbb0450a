"""Integrity checks of member counts, for `doctor`."""

from sqlalchemy import BigInteger, func, literal_column, select

from dream_api.core.integrity import IntegrityCheck
from dream_api.platforms import home_platform_no
from dream_api.platforms.tables import members
from dream_api.usage.meter_queries import its_meter
from dream_api.usage.tables import meters, usage_counters
from dream_api.usage.windows import Window

c = usage_counters.c


def checks() -> list[IntegrityCheck]:
    there = (
        select(func.count())
        .select_from(members)
        .where(members.c.platform_no == c.platform_no)
        .correlate(usage_counters)
        .scalar_subquery()
    )
    counted = (
        select(usage_counters, there.label("members"))
        .select_from(usage_counters.join(meters, its_meter(usage_counters)))
        .where(
            c.customer_no == literal_column("0", BigInteger()),
            c.window == int(Window.LIFE),
            meters.c.platform_no == home_platform_no(),
            meters.c.name == "members",
            c.count != there,
        )
    )
    return [
        IntegrityCheck(
            "members_are_counted", "The member count of each platform is the number of its members.", counted
        )
    ]
