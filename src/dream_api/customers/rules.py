"""Customers: creation, look-up, changes, plan and deletion."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api.core import ids
from dream_api.core.cache import invalidate
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, Forbidden, NotFound, ValidationFailed
from dream_api.core.metadata import EMPTY
from dream_api.customers import queries
from dream_api.customers.billing_period import period_of
from dream_api.platforms import next_customer_number
from dream_api.platforms.scope import ProjectScope

# Cached by `Scope.name_of(user_id)`.
CACHE_KIND = "customer"
LONGEST_USER_ID = 255
_BY_USER_ID = "userId:"


class CustomerBlocked(Forbidden):
    code = "customer_blocked"
    hint = "To unblock the customer, set the status to active with PATCH /api/customers/{id}."


class CustomerExists(Conflict):
    code = "customer_exists"
    hint = "Change the customer with PATCH /api/customers/userId:<userId> instead."


class CustomerDeleted(Conflict):
    code = "customer_deleted"
    hint = "A deleted customer cannot be restored. Use another user ID."


@dataclass(frozen=True, slots=True)
class Customer:
    """What a metered call needs to know of a customer."""

    no: int
    status: str
    plan: str | None
    period_starts_at: int | None
    period_ends_at: int | None


def validate_user_id(text: str, param: str) -> str:
    """The user id, where it is 1 to 255 bytes of printable text."""
    if not text:
        raise ValidationFailed(
            "Enter a user ID.", param=param, hint="Send the ID that your own system uses for this customer."
        )
    if len(text.encode(errors="replace")) > LONGEST_USER_ID or not text.isprintable():
        raise ValidationFailed(
            f"A user ID can have at most {LONGEST_USER_ID} bytes of printable text.",
            param=param,
            hint="Send a shorter ID, or a hash of your ID.",
        )
    return text


async def get_or_create(
    tx: Tx,
    scope: ProjectScope,
    user_id: str,
    *,
    email: str | None = None,
    name: str | None = None,
    plan: str | None = None,
    metadata: str = EMPTY,
    now: int,
) -> tuple[Row[Any], bool]:
    """The customer of that user id, and whether it was made just now, with that profile.

    `now`, here and below: the present moment of the project.

    Waits for any other transaction that creates one: looking before it commits would treat its customer as a new one,
    without counts.
    """
    # A transaction that creates or adopts a customer locks the platform's sequence until its commit.
    no = await next_customer_number(tx, scope.platform_no)
    known = await queries.by_user_id(tx, scope, user_id)
    if known is not None:
        return known, False
    profile = {"email": email, "name": name, "plan": plan, "metadata": metadata}
    return await queries.insert_customer(tx, scope, _new_row(user_id, no, now) | profile), True


async def create(
    tx: Tx,
    scope: ProjectScope,
    user_id: str,
    *,
    email: str | None,
    name: str | None,
    plan: str | None,
    metadata: str = EMPTY,
    now: int,
) -> Row[Any]:
    """A new customer; one that a metered call created before is adopted: it keeps its counts and gets the profile."""
    customer, is_new = await get_or_create(
        tx, scope, user_id, email=email, name=name, plan=plan, metadata=metadata, now=now
    )
    if is_new:
        return customer
    if _has_profile(customer) or customer.status == "deleted":
        raise CustomerExists(f"A customer with the user ID {user_id} already exists.", param="userId")
    profile = {"email": email, "name": name, "plan": plan or customer.plan, "metadata": metadata}
    return await _write(tx, scope, customer, profile, now)


def _has_profile(customer: Row[Any]) -> bool:
    return customer.email is not None or customer.name is not None or customer.metadata != EMPTY


async def ensure(tx: Tx, scope: ProjectScope, user_id: str, *, now: int) -> Row[Any]:
    """The customer of that user id, made where there is none."""
    known = await queries.by_user_id(tx, scope, user_id)
    return known if known is not None else (await get_or_create(tx, scope, user_id, now=now))[0]


async def find(tx: Tx, scope: ProjectScope, reference: str, *, param: str = "id") -> Row[Any]:
    """The customer by `cus_…` or `userId:…`."""
    if reference.startswith(_BY_USER_ID):
        row = await queries.by_user_id(tx, scope, reference.removeprefix(_BY_USER_ID))
    else:
        row = await queries.by_id(tx, scope, reference)
    if row is None:
        raise NotFound("Customer not found.", param=param)
    return row


async def find_user(tx: Tx, scope: ProjectScope, user_id: str) -> Row[Any] | None:
    """The customer by the developer's own id, where there is one."""
    return await queries.by_user_id(tx, scope, user_id)


async def lock(tx: Tx, scope: ProjectScope, customer_id: str) -> Row[Any] | None:
    """The customer, whose row is locked until the transaction ends."""
    return await queries.by_id(tx, scope, customer_id, held=True)


async def status_of(tx: Tx, scope: ProjectScope, customer_id: str) -> str | None:
    """None where there is no such customer."""
    customer = await queries.by_id(tx, scope, customer_id)
    return None if customer is None else customer.status


async def find_by_number(tx: Tx, scope: ProjectScope, no: int) -> Row[Any]:
    """The customer of that number; it must be one of the project's and mode's."""
    row = await queries.by_no(tx, scope, no)
    assert row is not None
    return row


def require_active(status: str) -> None:
    """Raises CustomerBlocked for blocked and deleted customers."""
    if status == "blocked":
        raise CustomerBlocked("The customer is blocked.")
    if status == "deleted":
        raise CustomerBlocked("The customer is deleted.", hint=CustomerDeleted.hint)


def require_not_deleted(customer: Row[Any]) -> None:
    """Raises CustomerDeleted for a deleted customer."""
    if customer.status == "deleted":
        raise CustomerDeleted("The customer was deleted.", param="id")


async def update(tx: Tx, scope: ProjectScope, customer: Row[Any], values: dict[str, Any], *, now: int) -> Row[Any]:
    """Write the values, in force in every process within a second; who is put on no plan leaves their subscription."""
    if values.get("plan", "") is None:
        values = values | _period_change(customer, None, now)
    return await _write(tx, scope, customer, values, now)


async def _write(tx: Tx, scope: ProjectScope, customer: Row[Any], values: dict[str, Any], now: int) -> Row[Any]:
    changed = await queries.update_customer(tx, scope, customer.id, values | {"updated_at": now})
    await invalidate(tx, CACHE_KIND, scope.name_of(customer.user_id))
    return changed


async def delete(tx: Tx, scope: ProjectScope, customer: Row[Any], *, now: int) -> Row[Any]:
    """The person's data goes, the counts stay: they are what was billed."""
    erased = {"status": "deleted", "email": None, "name": None, "metadata": EMPTY}
    return await _write(tx, scope, customer, erased, now)


async def set_plan(
    tx: Tx,
    scope: ProjectScope,
    user_id: str,
    plan: str | None,
    *,
    now: int,
    period: tuple[int, int] | None = None,
    continues: bool = True,
) -> None:
    """Put a customer on a plan, with the time it has paid for; the customer is made where there is none.

    Without a period the calendar month counts again, with its count so far. A customer who subscribes again inside the
    month in which they left goes on in that month, so that limits are not reset by leaving and coming back; where
    `continues` is false, because what is used is billed, the count begins with the period.
    """
    known = await ensure(tx, scope, user_id, now=now)
    change = _period_change(known, period, now, continues=continues)
    await _write(tx, scope, known, {"plan": plan} | change, now)


def _period_change(
    customer: Row[Any], period: tuple[int, int] | None, now: int, *, continues: bool = True
) -> dict[str, int | None]:
    open_now = period_of(customer, now)
    if period is None:
        left = {"left_period_starts_at": open_now[0], "left_period_ends_at": open_now[1]} if open_now else {}
        return {"period_starts_at": None, "period_ends_at": None, **left}
    starts_at, ends_at = period
    left_at, left_until = customer.left_period_starts_at, customer.left_period_ends_at
    may_go_on = continues and customer.period_starts_at is None
    if may_go_on and left_at is not None and left_at <= starts_at < left_until:
        starts_at = left_at
    return {
        "period_starts_at": starts_at,
        "period_ends_at": ends_at,
        "left_period_starts_at": None,
        "left_period_ends_at": None,
    }


def _new_row(user_id: str, no: int, now: int) -> dict[str, Any]:
    return {
        "id": ids.new("cus"),
        "no": no,
        "user_id": user_id,
        "status": "active",
        "created_at": now,
        "updated_at": now,
    }
