"""End users of a project and mode: who they are, their plan and their period."""

from dream_api.customers.batch_lookup import Wanted, enroll, find_many, last_numbers
from dream_api.customers.billing_period import SILENCE, has_lapsed, period_of
from dream_api.customers.integrity import checks
from dream_api.customers.queries import customers_by_plan, live_customers_by_platform, page_of
from dream_api.customers.rules import (
    CACHE_KIND,
    LONGEST_USER_ID,
    Customer,
    CustomerBlocked,
    CustomerDeleted,
    change,
    create,
    delete,
    ensure,
    find,
    find_numbered,
    find_user,
    hold,
    meet,
    proper_user_id,
    refuse_deleted,
    refuse_inactive,
    set_plan,
)

__all__ = [
    "CACHE_KIND",
    "LONGEST_USER_ID",
    "SILENCE",
    "Customer",
    "CustomerBlocked",
    "CustomerDeleted",
    "Wanted",
    "change",
    "checks",
    "create",
    "customers_by_plan",
    "delete",
    "enroll",
    "ensure",
    "find",
    "find_many",
    "find_numbered",
    "find_user",
    "has_lapsed",
    "hold",
    "last_numbers",
    "live_customers_by_platform",
    "meet",
    "page_of",
    "period_of",
    "proper_user_id",
    "refuse_deleted",
    "refuse_inactive",
    "set_plan",
]
