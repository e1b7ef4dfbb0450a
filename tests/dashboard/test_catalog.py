"""What is sold, as developers edit it on pages: by the rules of the API, each sentence beside its field."""

from html.parser import HTMLParser
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import AsyncClient, Response

from dream_api import platforms
from tests.support.instance import Account, Instance, open_store

_TIER = {
    "name": "pro",
    "displayName": "Pro",
    "features": "10,000 requests\nSupport",
    "limit": "10000",
    "limitKind": "soft",
    "limits.0.meter": "exports",
    "limits.0.window": "day",
    "limits.0.max": "",
    "limits.0.kind": "hard",
    "limits.1.meter": "",
    "limits.1.max": "",
    "isVisible": "on",
    "number": "7",
    "trialDays": "14",
}


async def _post(api: AsyncClient, account: Account, path: str, **fields: str) -> Response:
    url = f"/dashboard/{account.project.id}/test{path}"
    return await api.post(url, headers=account.cookie(), data=account.form(**fields))


async def _tier(api: AsyncClient, account: Account, name: str) -> dict[str, Any]:
    return (await api.get(f"/tiers/{name}", headers=account.sk)).json()


async def test_a_tier_is_made_and_changed_by_its_form(api: AsyncClient, alice: Account) -> None:
    made = await _post(api, alice, "/tiers", **_TIER)
    tier = await _tier(api, alice, "pro")

    assert made.status_code == 303
    assert (tier["displayName"], tier["features"], tier["number"], tier["trialDays"]) == (
        "Pro",
        ["10,000 requests", "Support"],
        7,
        14,
    )
    limits = {(limit["meter"], limit["window"]): (limit["kind"], limit["max"]) for limit in tier["limits"]}
    assert limits == {("requests", "period"): ("soft", 10_000), ("exports", "day"): ("hard", None)}

    changed = await _post(api, alice, "/tiers/pro", displayName="Pro 2", limit="5", limitKind="hard")
    tier = await _tier(api, alice, "pro")

    assert changed.headers["location"].endswith("/tiers/pro?done=saved")
    assert (tier["displayName"], tier["limit"], len(tier["limits"])) == ("Pro 2", 5, 1)
    assert not tier["isVisible"]


async def test_a_tier_may_be_called_new(api: AsyncClient, alice: Account) -> None:
    await _post(api, alice, "/tiers", name="new", displayName="Brand new")

    editor = await api.get(f"/dashboard/{alice.project.id}/test/tiers/new", headers=alice.cookie())
    form = await api.get(f"/dashboard/{alice.project.id}/test/new-tier", headers=alice.cookie())

    assert 'value="Brand new"' in editor.text
    assert form.status_code == 200
    assert "Brand new" not in form.text


async def test_saving_what_the_form_began_with_changes_nothing(api: AsyncClient, alice: Account) -> None:
    body = {
        "name": "odd",
        "features": {"a": [1]},
        "limits": [{"max": None}, {"max": 5, "window": "hour", "kind": "soft"}],
        "prices": [{"price": "5", "currency": "eur"}],
    }
    assert (await api.post("/tiers", headers=alice.sk, json=body)).status_code == 201
    before = await _tier(api, alice, "odd")

    page = await api.get(f"/dashboard/{alice.project.id}/test/tiers/odd", headers=alice.cookie())
    await _post(api, alice, "/tiers/odd", **_begun(page.text))
    after = await _tier(api, alice, "odd")

    assert {**after, "updatedAt": None} == {**before, "updatedAt": None}


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(
    api: AsyncClient, alice: Account
) -> None:
    # What was typed, the field at fault, and what else is still there.
    cases: list[tuple[dict[str, str], str, str]] = [
        ({"name": "Not a name"}, "name", 'value="Not a name"'),
        ({"name": "pro", "limit": "many"}, "limit", 'value="many"'),
        ({"name": "pro", "limit": "5", "limits.3.meter": "a b", "limits.3.max": "9"}, "limits.0.meter", 'value="9"'),
        ({"name": "pro", "limit": "5", "limits.0.meter": "x", "limits.0.max": "y"}, "limits.0.max", 'value="y"'),
        ({"name": "pro", "trialDays": "9999"}, "trialDays", 'value="9999"'),
        ({"name": "pro", "imageUrl": "javascript:alert(1)"}, "imageUrl", "javascript:alert(1)"),
        ({"name": "pro", "number": "1000"}, "number", 'value="1000"'),
        ({"name": "free"}, "name", 'value="free"'),
    ]
    for typed, field, kept in cases:
        answer = await _post(api, alice, "/tiers", **{"limits.0.window": "day", "limits.3.window": "day", **typed})

        assert answer.status_code == 422, typed
        assert kept in answer.text, typed
        assert f'id="{field}-description">' in answer.text, typed
        begins = answer.text.index(f'id="{field}-description">')
        assert '<p class="problem">' in answer.text[begins : begins + 60], typed
    assert (await api.get("/tiers/pro", headers=alice.sk)).status_code == 404


@pytest.mark.parametrize("features", ['{"a":' + "[" * 12_000, '{"a": "\\ud800"}'], ids=["nested", "half a pair"])
async def test_features_that_are_nested_deeply_or_half_a_sign_are_no_json(
    api: AsyncClient, alice: Account, features: str
) -> None:
    answer = await _post(api, alice, "/tiers", **_TIER | {"features": features})

    assert answer.status_code == 422
    assert "Not a valid JSON object" in answer.text


async def test_a_new_price_takes_the_place_of_the_former_or_stands_beside_it(api: AsyncClient, alice: Account) -> None:
    await _post(api, alice, "/tiers", **_TIER)
    price = {"currency": "usd", "type": "recurring", "interval": "month"}

    await _post(api, alice, "/tiers/pro/prices", price="10", **price)
    [first] = (await _tier(api, alice, "pro"))["prices"]
    await _post(api, alice, "/tiers/pro/prices", price="12.50", **price)
    [second] = (await _tier(api, alice, "pro"))["prices"]
    await _post(api, alice, "/tiers/pro/prices", price="15", keep_others="on", **price)
    beside = (await _tier(api, alice, "pro"))["prices"]
    gone = await _post(api, alice, "/tiers/pro/prices/archive", price=second["id"])

    assert (first["amount"], second["amount"]) == (1000, 1250)
    assert first["id"] != second["id"]
    assert [one["amount"] for one in beside] == [1250, 1500]
    assert gone.status_code == 303
    assert [one["amount"] for one in (await _tier(api, alice, "pro"))["prices"]] == [1500]


async def test_a_price_by_steps_is_typed_in_major_units(api: AsyncClient, alice: Account) -> None:
    await _post(api, alice, "/tiers", **_TIER)
    usage = {"currency": "usd", "type": "usage", "meter": "tokens", "billingScheme": "tiered", "interval": "month"}

    wrong = await _post(api, alice, "/tiers/pro/prices", **usage)
    steps = {"tiers.0.upTo": "1,000", "tiers.0.unitAmount": "0.10", "tiers.1.unitAmount": "0.05"}
    fine = await _post(api, alice, "/tiers/pro/prices", **usage, **steps, **{"tiers.1.flatAmount": "2"})

    assert wrong.status_code == 422
    assert "A tiered price must have tiers." in wrong.text
    assert fine.status_code == 303
    [price] = (await _tier(api, alice, "pro"))["prices"]
    assert price["tiers"] == [
        {"upTo": 1000, "unitAmount": 10, "flatAmount": 0},
        {"upTo": None, "unitAmount": 5, "flatAmount": 200},
    ]


async def test_a_tier_is_archived_by_typing_its_name(api: AsyncClient, alice: Account) -> None:
    await _post(api, alice, "/tiers", **_TIER)

    mistyped = await _post(api, alice, "/tiers/pro/archive", confirm="prod")
    default = await _post(api, alice, "/tiers/free/archive", confirm="free")
    archived = await _post(api, alice, "/tiers/pro/archive", confirm="pro")

    assert [mistyped.status_code, default.status_code, archived.status_code] == [422, 422, 303]
    assert (await _tier(api, alice, "pro"))["archivedAt"] is not None
    page = f"/dashboard/{alice.project.id}/test/tiers"
    assert "/tiers/pro" not in (await api.get(page, headers=alice.cookie())).text
    assert "/tiers/pro" in (await api.get(f"{page}?state=archived", headers=alice.cookie())).text


async def test_stock_is_corrected_on_the_page_of_a_product(
    api: AsyncClient, instance: Instance, alice: Account
) -> None:
    store = await open_store(instance.database, alice)

    await _post(api, store, "/tiers", name="mug", displayName="Mug", inventory="5", lowInventory="2")
    await _post(api, store, "/tiers/mug/prices", currency="usd", price="8")
    await _post(api, store, "/tiers/mug", displayName="Mug", inventory="12", lowInventory="", isVisible="on")
    wrong = await _post(api, store, "/tiers/mug", displayName="Mug", inventory="", lowInventory="3")

    mug = await _tier(api, store, "mug")
    assert (mug["inventory"], mug["lowInventory"], mug["prices"][0]["amount"]) == (12, None, 800)
    assert wrong.status_code == 422
    assert "a low stock level needs one" in wrong.text


async def test_coupons_are_made_and_archived(api: AsyncClient, alice: Account) -> None:
    await _post(api, alice, "/coupons", code="half", off="50 %", duration="forever")
    await _post(api, alice, "/coupons", code="five", off="5.00", currency="eur", duration="once")
    twice = await _post(api, alice, "/coupons", code="HALF", off="10", duration="once")

    made = (await api.get("/coupons", headers=alice.sk)).json()["data"]
    assert [(one["code"], one["percentOff"], one["amountOff"]) for one in made] == [
        ("FIVE", None, 500),
        ("HALF", 50, None),
    ]
    assert (twice.status_code, "A coupon with the code HALF already exists." in twice.text) == (422, True)
    assert (await _post(api, alice, f"/coupons/{made[0]['id']}/archive")).status_code == 303
    assert len((await api.get("/coupons", headers=alice.sk)).json()["data"]) == 1


async def test_a_project_is_made_and_its_settings_changed(api: AsyncClient, instance: Instance, alice: Account) -> None:
    page = f"/dashboard/{alice.project.platform_id}/projects"
    nameless = await api.post(page, headers=alice.cookie(), data=alice.form(name=" ", type="saas"))
    made = await api.post(page, headers=alice.cookie(), data=alice.form(name="Mugs & more", type="store"))
    listed = await api.get(page, headers=alice.cookie("viewer"))

    assert nameless.status_code == 422
    assert made.headers["location"].endswith("/test/keys")
    assert "Mugs &amp; more" in listed.text

    await _post(api, alice, "/settings", name="Renamed")
    await _post(api, alice, "/settings/origins", add="https://new.example.com/")
    odd = await _post(api, alice, "/settings/origins", add="http://new.example.com")
    await _post(api, alice, "/settings/origins", remove="https://myapp.com")
    moved = await _post(api, alice, "/settings/clock", by="month")
    back = await _post(api, alice, "/settings/clock", by="day", advanceTo="2020-01-01T00:00")

    async with instance.database.read() as tx:
        project = await platforms.find_project(tx, alice.project.id)
        ahead = await platforms.clock_offset(tx, project.platform_no, project.id, "test")
        actions = await tx.all(
            sa.text("SELECT action FROM audit_entries WHERE platform_no = :no").bindparams(no=project.platform_no)
        )
    assert (project.name, project.origins) == ("Renamed", ("https://new.example.com",))
    assert (odd.status_code, moved.status_code, back.status_code) == (422, 303, 422)
    assert ahead > 27 * 86_400 * 10**6
    assert {row.action for row in actions} >= {"project.created", "project.changed", "origins.changed", "clock.moved"}


async def test_a_table_is_exported_without_formulas(api: AsyncClient, alice: Account) -> None:
    await _post(api, alice, "/tiers", **{**_TIER, "displayName": "=1+1"})

    answer = await api.get(f"/dashboard/{alice.project.id}/test/tiers.csv?sort=name", headers=alice.cookie("admin"))
    member = await api.get(f"/dashboard/{alice.project.id}/test/tiers.csv", headers=alice.cookie("member"))

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines()[1].startswith("pro,'=1+1,7,visible,")
    assert member.status_code == 403


class _Reading(HTMLParser):
    """The fields of the tier's own form."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.is_inside = False
        self.area = self.choice = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.is_inside = told.get("action", "").endswith("/tiers/odd")
        elif self.is_inside and tag == "input" and (told.get("type") != "checkbox" or "checked" in told):
            self.fields[told["name"]] = told.get("value", "on")
        elif self.is_inside and tag == "textarea":
            self.area = told["name"]
        elif self.is_inside and tag == "select":
            self.choice = told["name"]
        elif self.is_inside and tag == "option" and ("selected" in told or self.choice not in self.fields):
            self.fields[self.choice] = told["value"]

    def handle_data(self, data: str) -> None:
        if self.area:
            self.fields[self.area] = data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = ""
        elif tag == "form":
            self.is_inside = False


def _begun(page: str) -> dict[str, str]:
    """What a browser would send of the editor's form, untouched."""
    reading = _Reading()
    reading.feed(page)
    del reading.fields["csrf"]
    return reading.fields
