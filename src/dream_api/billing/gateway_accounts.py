"""Gateway accounts: where a project is paid in each mode."""

from typing import Any

from sqlalchemy import Row

from dream_api import customers, platforms
from dream_api.billing import queries
from dream_api.core import clock, ids
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict
from dream_api.gateways.contract import GatewayAccount, Kind
from dream_api.platforms import ProjectScope


class GatewayMissing(Conflict):
    code = "gateway_missing"
    hint = "Sell in test mode, which uses the built-in sandbox."


class CustomerNeverPaid(Conflict):
    code = "customer_never_paid"
    hint = "Send the customer to a checkout first: POST /api/create-checkout."


async def ensure_account(tx: Tx, scope: ProjectScope) -> GatewayAccount:
    """The project's account in this mode; created at the sandbox in test mode, GatewayMissing in live mode."""
    row = await queries.account_of_project(tx, scope.platform_no, scope.project_id, scope.mode)
    if row is None and scope.mode == "live":
        raise GatewayMissing("Live mode has no payment gateway yet.")
    if row is None:
        await queries.insert_account(
            tx,
            scope.platform_no,
            {
                "id": ids.new("acct"),
                "gateway": "sandbox",
                "project_id": scope.project_id,
                "mode": scope.mode,
                "created_at": clock.now(),
            },
        )
        row = await queries.account_of_project(tx, scope.platform_no, scope.project_id, scope.mode)
        assert row is not None
    return to_gateway_account(row)


async def find_account(tx: Tx, account_id: str) -> GatewayAccount | None:
    """By its own id, before any tenant is known."""
    row = await queries.account_by_id(tx, account_id)
    return None if row is None else to_gateway_account(row)


async def find_gateway_customer(tx: Tx, scope: ProjectScope, user_id: str) -> tuple[GatewayAccount, str] | None:
    """Where the customer of that user id paid before, and how the gateway knows them."""
    row = await queries.account_of_project(tx, scope.platform_no, scope.project_id, scope.mode)
    customer = await customers.find_user(tx, scope, user_id)
    if row is None or customer is None:
        return None
    known = await queries.gateway_customer_of(tx, scope.platform_no, row.id, customer.id)
    return None if known is None else (to_gateway_account(row), known)


async def find_payer(tx: Tx, scope: ProjectScope, user_id: str, *, param: str) -> tuple[GatewayAccount, str]:
    """As `find_gateway_customer`; raises CustomerNeverPaid where the customer never paid."""
    payer = await find_gateway_customer(tx, scope, user_id)
    if payer is None:
        raise CustomerNeverPaid("The customer has no payments yet.", param=param)
    return payer


def to_gateway_account(row: Row[Any]) -> GatewayAccount:
    gateway: Kind = row.gateway
    return GatewayAccount(row.id, gateway, row.platform_no, row.project_id, row.mode)


def scope_of(account: GatewayAccount) -> ProjectScope:
    return ProjectScope(account.platform_no, account.project_id, account.mode)


async def account_now(tx: Tx, account: GatewayAccount) -> int:
    """The project's own time."""
    return await platforms.project_now(tx, account.platform_no, account.project_id, account.mode)
