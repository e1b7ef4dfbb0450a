"""Each cell of the permission table, tried: what a role may is done, what it may not is refused."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2 as httpx
import pytest

from dream_api import platforms
from dream_api.accounts import ROLES, Role
from dream_api.platforms import TABLE, RefundLimit
from tests.billing.developer import Seller, monthly
from tests.docs.documents import DOCS
from tests.support.instance import Account, Instance, open_another

Try = Callable[[Instance, Account, Role], Awaitable[httpx.Response]]


def _call(method: str, path: str, json: Any = None) -> Try:
    async def attempt(instance: Instance, account: Account, role: Role) -> httpx.Response:
        body = {} if json is None else {"json": json}
        place = path.format(project=account.project.id)
        return await instance.api.request(method, place, headers=account.at_api(role), **body)

    return attempt


def _page(path: str) -> Try:
    async def attempt(instance: Instance, account: Account, role: Role) -> httpx.Response:
        return await instance.api.get(f"/dashboard/{account.project.platform_id}{path}", headers=account.cookie(role))

    return attempt


def _post(path: str, **fields: str) -> Try:
    async def attempt(instance: Instance, account: Account, role: Role) -> httpx.Response:
        place = f"/dashboard/{account.project.platform_id}{path}"
        told = {name: value.format(viewer=account.user_ids["viewer"]) for name, value in fields.items()}
        form = account.form(role) | told
        return await instance.api.post(place, headers=account.cookie(role), data=form)

    return attempt


def _refund(amount: int) -> Try:
    async def attempt(instance: Instance, account: Account, role: Role) -> httpx.Response:
        limited = await open_another(instance.database, account, RefundLimit(500, "usd"))
        seller = Seller(instance.api, limited.sk)
        await seller.post("/tiers", {"name": "pro", "prices": [monthly("19.99")]})
        await seller.subscribe("ada", "pro")
        [payment] = (await seller.get("/api/payments"))["data"]
        path = f"/api/payments/{payment['id']}/refunds"
        return await instance.api.post(path, headers=limited.at_api(role), json={"amount": amount})

    return attempt


# What is still to come has no cell to try.
TO_COME = {"Create and edit pages", "Webhooks", "Go live", "Connect Stripe"}
TRIES: dict[str, Try] = {
    "View content": _call("GET", "/projects"),
    "View analytics": _call("GET", "/api/dashboard"),
    "Manage products": _call("POST", "/tiers", {"name": "pro"}),
    "Customers": _call("POST", "/api/customers", {"userId": "ada"}),
    "Test keys": _call("POST", "/rotate-key", {"mode": "test"}),
    "Refunds up to the project's limit": _refund(500),
    "Any refund": _refund(501),
    "Manage team members": _call("POST", "/api/team/invitations", {"email": "grace@example.com", "role": "viewer"}),
    "Live keys": _call("POST", "/rotate-key", {"mode": "live"}),
    "Origins": _call("PATCH", "/projects/{project}", {"origins": ["https://example.com"]}),
    "Settings": _call("PATCH", "/projects/{project}", {"name": "Another name"}),
    "Export": _page("/security-log.csv"),
    "Security log": _call("GET", "/api/security-log"),
    # There is no gateway in live mode yet, and that is told to those who may ask.
    "Billing and level": _post("/level", level="1"),
    "Transfer the platform": _post("/settings/transfer", userId="{viewer}", confirmed="Alice"),
    "Delete the platform": _post("/settings/delete", deleted="Alice"),
}


def test_each_line_is_tried_or_to_come() -> None:
    assert {right.words for right in TABLE} == TRIES.keys() | TO_COME


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("right", [one for one in TABLE if one.words in TRIES], ids=lambda one: one.words)
async def test_a_role_may_what_its_cell_says(instance: Instance, right: platforms.Right, role: Role) -> None:
    answer = await TRIES[right.words](instance, instance.alice, role)

    if platforms.has_permission(role, right.permission):
        assert answer.status_code < 400 or answer.status_code == 409, answer.text
    else:
        assert answer.status_code == 403, answer.text


def test_the_guide_shows_the_table() -> None:
    guide = (DOCS / "guide" / "team.md").read_text()

    for right in TABLE:
        cells = " | ".join("✓" if platforms.has_permission(role, right.permission) else "–" for role in ROLES)
        assert f"| {right.words} | {cells} |" in guide
