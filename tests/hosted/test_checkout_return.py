"""The page on which buyers end whose link names no page of the seller's: for them, and for nobody who guesses."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
import sqlalchemy as sa

from dream_api import platforms
from tests.billing.shop import VISA, Shopping, monthly, text_of
from tests.support.instance import Account, Instance

pytestmark = pytest.mark.both


@dataclass(frozen=True, slots=True)
class Link:
    """A payment link that Alice made in her dashboard: the page that the buyer opens."""

    instance: Instance
    path: str

    async def pay(self) -> str:
        """Where the buyer is sent."""
        return await self._send(card=VISA, do="pay")

    async def leave(self) -> str:
        return await self._send(do="leave")

    async def _send(self, **fields: str) -> str:
        answer = await self.instance.api.post(self.path, data=fields)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith(f"{self.instance.settings.link_base}/checkout/")
        return urlsplit(answer.headers["location"]).path


@pytest.fixture
async def shopping(instance: Instance) -> Shopping:
    shop = Shopping(instance, instance.alice)
    await shop.sell("pro", monthly("19.99"), displayName="Pro <b>")
    await shop.sell("trial", monthly("49.99"), displayName="Team", trialDays=14)
    await shop.call("POST", "/coupons", {"code": "HALF", "percentOff": 50})
    return shop


async def _create(shopping: Shopping, tier: str = "pro", **more: str) -> httpx.Response:
    alice = shopping.whose
    price = (await shopping.call("GET", f"/tiers/{tier}"))["prices"][0]["id"]
    form = alice.form(userId="ada", price=price, quantity="1", url="") | more
    return await shopping.instance.api.post(
        f"/dashboard/{alice.project.id}/test/subscriptions", headers=alice.cookie(), data=form
    )


async def _link(shopping: Shopping, tier: str = "pro", **more: str) -> Link:
    made = await _create(shopping, tier, **more)
    assert made.status_code == 303, made.text
    page = await shopping.instance.api.get(made.headers["location"], headers=shopping.whose.cookie())
    found = re.search(r'data-copy="([^"]+)"', page.text)
    assert found is not None
    return Link(shopping.instance, urlsplit(found[1]).path)


async def test_who_paid_is_thanked_without_signing_in_however_often(shopping: Shopping) -> None:
    where = await (await _link(shopping)).pay()

    for _ in range(2):
        page = await shopping.instance.api.get(where)
        text = text_of(page.text)
        assert (page.status_code, "Thank you" in text) == (200, True)
        assert "Alice has received your payment." in text
        assert "Pro &lt;b&gt; $19.99 per month $19.99" in text
        assert "Paid $19.99" in text
    assert text_of((await shopping.instance.api.get(f"{where}/canceled")).text) == text


async def test_the_page_runs_nothing_and_shows_nothing_secret(shopping: Shopping, alice: Account) -> None:
    where = await (await _link(shopping)).pay()

    page = await shopping.instance.api.get(where)

    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert "script" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for secret in ("ada", "@example.com", "/dashboard", "/account", alice.project.platform_id, "cus_", "sub_"):
        assert secret not in page.text, secret


async def test_who_leaves_is_not_charged_and_told_so(shopping: Shopping) -> None:
    link = await _link(shopping)
    where = await link.leave()

    text = text_of((await shopping.instance.api.get(where)).text)

    assert where.endswith("/canceled")
    assert "You were not charged. Ask Alice for a new link." in text
    assert "This checkout has expired" in (await shopping.instance.api.get(where.removesuffix("/canceled"))).text


async def test_an_open_checkout_is_confirmed_or_gone_back_to(shopping: Shopping) -> None:
    link = await _link(shopping)
    async with shopping.instance.database.read() as tx:
        url = await tx.scalar(sa.text("SELECT success_url FROM checkouts"))
    path = urlsplit(url).path

    confirming = await shopping.instance.api.get(path)
    canceled = await shopping.instance.api.get(f"{path}/canceled")

    assert "Confirming your payment" in confirming.text
    assert f'href="{shopping.instance.settings.link_base}{link.path}">Back to the checkout' in canceled.text


async def test_discounts_and_trials_are_told(shopping: Shopping) -> None:
    trial = await (await _link(shopping, "trial", userId="bob")).pay()
    half = await (await _link(shopping, coupon="HALF")).pay()

    trial_text, half_text = [text_of((await shopping.instance.api.get(path)).text) for path in (trial, half)]

    assert "Your free trial of 14 days has started. No payment was due." in trial_text
    assert "after the trial" in trial_text
    assert "Paid $0.00" in trial_text
    assert "Discount −$10.00 Paid $9.99" in half_text


async def test_nobody_guesses_a_page(shopping: Shopping, alice: Account, charlie: Account) -> None:
    where = await (await _link(shopping)).pay()
    _, _, project, checkout, secret = where.split("/")
    foreign = await shopping.checkout("eve")
    async with shopping.instance.database.read() as tx:
        (other,) = await tx.all(
            sa.text("SELECT id, success_url FROM checkouts WHERE success_url LIKE 'https://myapp%'")
        )
    paths = {
        f"/checkout/{project}/{checkout}/{secret[:-1]}",
        f"/checkout/{project}/{checkout}/{'A' * len(secret)}",
        f"/checkout/{project}/{checkout}/",
        f"/checkout/{project}/{checkout}/{secret}x",
        f"/checkout/{charlie.project.id}/{checkout}/{secret}",
        f"/checkout/prj_{'0' * 26}/{checkout}/{secret}",
        f"/checkout/{project}/chk_{'0' * 26}/{secret}",
        f"/checkout/{project}/{other.id}/thanks",
        f"/checkout/{project}/{other.id}/{secret}",
        f"/checkout/{project}/{checkout}/%00",
    }

    for path in paths:
        for end in ("", "/canceled"):
            answer = await shopping.instance.api.get(path + end)
            assert answer.status_code in (404, 422), path
            assert "Pro" not in answer.text, path
    assert foreign.startswith("/sandbox/")


async def test_a_page_of_the_dashboard_is_none_for_customers(shopping: Shopping) -> None:
    for path in ("", "/", "/dashboard"):
        refused = await _create(shopping, url=shopping.instance.settings.link_base + path)

        assert (refused.status_code, "Customers cannot sign in" in refused.text) == (422, True)


async def test_a_website_of_the_project_is_filled_in_and_none_is_needed(shopping: Shopping, alice: Account) -> None:
    form = f"/dashboard/{alice.project.id}/test/subscriptions/new"
    listed = await shopping.instance.api.get(form, headers=alice.cookie())
    async with shopping.instance.database.write() as tx:
        await platforms.change_origins(tx, alice.project, remove=alice.project.origins)
    await shopping.instance.changes.poll()

    bare = await shopping.instance.api.get(form, headers=alice.cookie())

    field = r'<input id="url" name="url" type="url" value="([^"]*)"( required)?'
    found = [re.search(field, page.text) for page in (listed, bare)]
    assert [match and match.groups() for match in found] == [("https://myapp.com", None), ("", None)]
