"""Whose money it is: the account of a project and mode at a gateway."""

from typing import Any

from sqlalchemy import Row

from dream_api import customers, platforms
from dream_api.billing import queries
from dream_api.core import clock, ids
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict
from dream_api.gateways.contract import Account, Kind
from dream_api.platforms import Scope


class GatewayMissing(Conflict):
    code = "gateway_missing"
    hint = "Sell in test mode, where the built-in sandbox takes the payments."


class NotACustomerYet(Conflict):
    code = "not_a_customer_yet"
    hint = "Send the customer to a checkout first: POST /api/create-checkout."


async def account_of(tx: Tx, scope: Scope) -> Account:
    """Where the project's customers pay in this mode: in test mode the sandbox, which is there at once."""
    row = await queries.account_of_project(tx, scope.platform_id, scope.project_id, scope.mode)
    if row is None and scope.mode == "live":
        raise GatewayMissing("Nothing can be sold in live mode yet: the project has no gateway there.")
    if row is None:
        await queries.insert_account(
            tx,
            scope.platform_id,
            {
                "id": ids.new("acct"),
                "gateway": "sandbox",
                "project_id": scope.project_id,
                "mode": scope.mode,
                "created_at": clock.now(),
            },
        )
        row = await queries.account_of_project(tx, scope.platform_id, scope.project_id, scope.mode)
        assert row is not None
    return account_from(row)


async def find_account(tx: Tx, account_id: str) -> Account | None:
    """By its own id, before any tenant is known."""
    row = await queries.account_by_id(tx, account_id)
    return None if row is None else account_from(row)


async def payer_of(tx: Tx, scope: Scope, user_id: str) -> tuple[Account, str] | None:
    """Where the customer of that user id paid before, and how the gateway knows them."""
    row = await queries.account_of_project(tx, scope.platform_id, scope.project_id, scope.mode)
    customer = await customers.find_user(tx, scope, user_id)
    if row is None or customer is None:
        return None
    known = await queries.gateway_customer_of(tx, scope.platform_id, row.id, customer.id)
    return None if known is None else (account_from(row), known)


async def find_payer(tx: Tx, scope: Scope, user_id: str, *, param: str) -> tuple[Account, str]:
    """As `payer_of`; raises NotACustomerYet where the customer never paid."""
    payer = await payer_of(tx, scope, user_id)
    if payer is None:
        raise NotACustomerYet("The customer has never paid, so there is nothing to see.", param=param)
    return payer


def account_from(row: Row[Any]) -> Account:
    gateway: Kind = row.gateway
    return Account(row.id, gateway, row.platform_id, row.platform_no, row.project_id, row.mode)


def scope_of(account: Account) -> Scope:
    return Scope(account.platform_id, account.platform_no, account.project_id, account.mode)


async def now_in(tx: Tx, account: Account) -> int:
    """The project's own time."""
    return await platforms.now_in(tx, account.platform_id, account.project_id, account.mode)
