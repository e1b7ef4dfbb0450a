"""End users of a project and mode: who they are, their plan and their period."""

from dream_api.customers.batch_lookup import Wanted, bulk_create, find_many, last_numbers
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
    get_or_create,
    lock,
    refuse_deleted,
    require_active,
    set_plan,
    validate_user_id,
)

__all__ = [
    "CACHE_KIND",
    "LONGEST_USER_ID",
    "SILENCE",
    "Customer",
    "CustomerBlocked",
    "CustomerDeleted",
    "Wanted",
    "bulk_create",
    "change",
    "checks",
    "create",
    "customers_by_plan",
    "delete",
    "ensure",
    "find",
    "find_many",
    "find_numbered",
    "find_user",
    "get_or_create",
    "has_lapsed",
    "last_numbers",
    "live_customers_by_platform",
    "lock",
    "page_of",
    "period_of",
    "refuse_deleted",
    "require_active",
    "set_plan",
    "validate_user_id",
]
