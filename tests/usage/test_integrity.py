"""`doctor`: clean after real calls, and each thing that it proves is broken by hand and found."""

import contextlib

import pytest
from sqlalchemy import text

from dream_api import audit, platforms, tenancy
from dream_api.app import integrity_checks
from dream_api.audit import Actor
from dream_api.catalog import TierLimit
from dream_api.core.integrity import run_check, violations
from dream_api.usage import Window
from tests.billing.developer import Seller, metered, monthly
from tests.support.instance import Account, Instance
from tests.support.storefront import Storefront, open_storefront

pytestmark = pytest.mark.both

_ADA = "customer_no = (SELECT no FROM customers WHERE user_id = 'ada')"
_HELD = "UPDATE usage_counters SET held = {held} WHERE {where}"

_SEATS = "(SELECT meter_no FROM meters WHERE name = 'seats')"
_LIVE = "customer_no IN (SELECT no FROM customers WHERE mode = 'live')"

# By the name of the check: what somebody might do to the tables, and the SQL that does it.
BREAKS = {
    "usage_is_billed": {"more is billed than was used": "UPDATE usage_bills SET quantity = quantity + 1"},
    "usage_has_its_price": {
        "an amount was changed": "UPDATE usage_bills SET amount = amount + 1",
        "a segment began later": "UPDATE usage_segments SET starts_at_quantity = starts_at_quantity + 1",
        "a segment was lost": "DELETE FROM usage_segments WHERE starts_at_quantity > 0",
        "all has the last price": "UPDATE usage_bills SET price_id = (SELECT max(price_id) FROM usage_segments)",
        "a price was changed": "UPDATE prices SET unit_amount = unit_amount + 1 WHERE type = 'usage'",
    },
    "usage_reaches_invoices": {
        "a line was lost": "UPDATE usage_bills SET sent_at = NULL WHERE amount > 0",
        "it was too much": "UPDATE usage_bills SET amount = NULL WHERE amount > 0",
    },
    "refunds_add_up": {"a payment forgets": "UPDATE payments SET refunded = refunded - 1 WHERE refunded > 0"},
    "plans_are_held": {
        "an active one holds nothing": "UPDATE subscriptions SET holds = false WHERE status = 'active'",
        "one that ended holds": "UPDATE subscriptions SET status = 'canceled' WHERE holds",
    },
    "closed_platforms_sell_nothing": {"a platform was closed": "UPDATE platforms SET deletes_at = 1"},
    "life_is_sum_of_hours": {
        "a count was lost": f'UPDATE usage_counters SET count = count - 1 WHERE "window" = 0 AND {_ADA}',
        "a count was added": f'UPDATE usage_counters SET count = count + 1 WHERE "window" = 0 AND {_ADA}',
        "a counter was lost": f'DELETE FROM usage_counters WHERE "window" = 0 AND {_ADA}',
        "an hour was lost": f"DELETE FROM usage_hours WHERE {_ADA}",
        "an hour was added": "INSERT INTO usage_hours SELECT platform_no, customer_no, meter_no, 3600000000, "
        f"period_starts_at, 1, 1 FROM usage_hours WHERE {_ADA}",
        "an hour went to somebody else": "UPDATE usage_hours SET customer_no = customer_no + 1000 WHERE " + _ADA,
        "a platform's count was lost": 'UPDATE usage_counters SET count = count - 1 WHERE "window" = 0'
        " AND customer_no = 0 AND count > 0",
    },
    "windows_are_sums_of_hours": {
        "a period's count was lost": f'UPDATE usage_counters SET count = count - 1 WHERE "window" = 4 AND {_ADA}',
        "a period was moved": f'UPDATE usage_counters SET starts_at = 1 WHERE "window" = 4 AND {_ADA}',
        "an hour went to another period": f"UPDATE usage_hours SET period_starts_at = 1 WHERE {_ADA}",
        "an hour's count was added": f'UPDATE usage_counters SET count = count + 1 WHERE "window" = 1 AND {_ADA}',
        "a day's count was lost": f'UPDATE usage_counters SET count = count - 1 WHERE "window" = 2 AND {_ADA}',
        "a month's count was lost": f'UPDATE usage_counters SET count = count - 1 WHERE "window" = 3 AND {_ADA}',
        "an hour went to another month": f"UPDATE usage_hours SET hour = hour - 3000000000000 WHERE {_ADA}",
    },
    "distinct_counts_are_subjects": {
        "a subject was lost": f"DELETE FROM usage_subjects WHERE meter_no = {_SEATS} AND subject = 'phone'",
        "a count was added": f"UPDATE usage_counters SET count = count + 1 WHERE meter_no = {_SEATS}",
        "a platform's user was lost": "DELETE FROM usage_subjects WHERE customer_no = 0",
    },
    "totals_are_sums_of_hours": {
        "hours are said to be summed up": "INSERT INTO usage_rolled SELECT DISTINCT platform_no, 9000000000000000000"
        " FROM usage_hours",
    },
    "held_is_reserved": {
        "a hold was lost": 'UPDATE usage_counters SET held = 0 WHERE "window" = 0 AND held > 0',
        "a hold was added": f'UPDATE usage_counters SET held = held + 1 WHERE "window" = 0 AND {_ADA}',
        "a reservation was lost": "DELETE FROM reservations",
        "a reservation was settled beside the gate": "UPDATE reservations SET state = 'settled', settled = 0",
        "a platform's hold was lost": "UPDATE usage_counters SET held = 0 WHERE customer_no = 0 AND held > 0",
    },
    "members_are_counted": {
        "somebody joined beside the gate": "INSERT INTO members (platform_no, user_id, role, joined_at) "
        "SELECT platforms.no, users.id, 'viewer', 1 FROM platforms, users "
        "WHERE platforms.name = 'Alice' AND users.email = 'charlie@example.com'",
        "somebody left beside the gate": "DELETE FROM members WHERE role = 'viewer'",
    },
    "platforms_count_live_calls": {
        "a call was lost": f"UPDATE usage_hours SET calls = calls - 1 WHERE {_LIVE}",
        "a platform's count was added": 'UPDATE usage_counters SET count = count + 1 WHERE "window" = 0'
        " AND customer_no = 0 AND count > 0",
        "a platform's counter was lost": "DELETE FROM usage_counters WHERE customer_no = 0",
    },
    "counts_are_not_negative": {
        "a count is negative": f'UPDATE usage_counters SET count = -1 WHERE "window" = 0 AND {_ADA}',
        "a period's count is negative": f'UPDATE usage_counters SET count = -1 WHERE "window" = 4 AND {_ADA}',
        "less than nothing is held": _HELD.format(held=-1, where=f'"window" = 0 AND {_ADA}'),
        "a period holds": _HELD.format(held=1, where=f'"window" = 4 AND {_ADA}'),
    },
    "counters_have_lives": {
        "a life was lost": f'DELETE FROM usage_counters WHERE "window" = 0 AND {_ADA}',
        "the meters were removed": "DELETE FROM meters WHERE platform_no = "
        f"(SELECT platform_no FROM usage_hours WHERE {_ADA} LIMIT 1)",
        "the meter is unknown": f'UPDATE usage_counters SET meter_no = meter_no + 99 WHERE "window" = 0 AND {_ADA}',
    },
    "stock_held_is_wanted": {
        "a hold was lost": "UPDATE stock SET held = held - 1 WHERE held > 0",
        "a hold was added": "UPDATE stock SET held = held + 1 WHERE held < on_hand",
        "a hold was released beside the store": "UPDATE stock_holds SET state = 'released' WHERE state = 'held'",
    },
    "holds_end_with_their_checkouts": {
        "a checkout ended without a word": "UPDATE checkouts SET status = 'expired' WHERE status = 'open'",
        "what was paid is held still": "UPDATE stock_holds SET state = 'held' WHERE state = 'settled'",
    },
    "orders_are_sums_of_lines": {
        "a line was lost": "DELETE FROM order_lines WHERE line = 2",
        "a line was made dearer": "UPDATE order_lines SET amount = amount + 1",
        "a total was changed": "UPDATE orders SET total = total + 1",
        "a discount was given": "UPDATE orders SET discount = discount + 1",
    },
    "orders_match_their_refunds": {
        "a refund was forgotten": "UPDATE orders SET refunded_amount = 0 WHERE refunded_amount > 0",
        "a refund was told that did not arrive": "UPDATE refunds SET status = 'failed' WHERE status = 'succeeded'",
    },
    "security_log_is_whole": {
        "an entry was changed": "UPDATE audit_entries SET action = 'key.revealed' WHERE number = 2",
        "somebody else was written": "UPDATE audit_entries SET actor_id = 'usr_eve' WHERE number = 1",
        "a moment was moved": "UPDATE audit_entries SET at = at + 1 WHERE number = 1",
        "a detail was changed": "UPDATE audit_fields SET value = 'live' WHERE field = 'mode'",
        "a detail was lost": "DELETE FROM audit_fields WHERE number = 1 AND field = 'mode'",
        "a detail was put in": "INSERT INTO audit_fields (platform_no, user_id, number, field, digest) "
        "SELECT platform_no, user_id, 2, 'more', digest FROM audit_fields WHERE number = 1 AND field = 'mode'",
        "the newest was forgotten": "UPDATE audit_streams SET last_number = last_number - 1",
        "one is told of that there is not": "UPDATE audit_streams SET last_number = 4",
        "the beginning was moved": "UPDATE audit_streams SET cut_digest = last_digest",
    },
    # Damages a file, not a row: see tests/core/test_damaged_database.py.
    "database_is_intact": {},
    "projects_are_found": {
        "an id was lost": "DELETE FROM project_ids",
        "an id leads to another platform": "UPDATE project_ids SET platform_no = (SELECT max(no) FROM platforms)",
    },
    "keys_are_found": {
        "a hash was lost": "DELETE FROM key_hashes",
        "a hash leads to another key": "UPDATE key_hashes SET key_id = 'key_other'",
        "a hash leads to another platform": "UPDATE key_hashes SET platform_no = platform_no + 1",
    },
    "files_have_projects": {"a file was moved": "UPDATE assets SET project_id = 'prj_other'"},
    "gateway_accounts_have_projects": {"an account was moved": "UPDATE gateway_accounts SET project_id = 'p' || id"},
    "customers_are_numbered": {
        "the series was set back": "UPDATE sequences SET last = 0 WHERE series = 'customers'",
        "the series was lost": "DELETE FROM sequences WHERE series = 'customers'",
        "a number was made up": "UPDATE customers SET no = 1000 WHERE user_id = 'ada'",
    },
}


class Undone(Exception):
    """Rolls a transaction back."""


def test_each_check_has_its_breaks():
    assert BREAKS.keys() == {check.name for check in integrity_checks()}


async def test_the_doctor_finds_nothing_after_real_calls(instance: Instance, alice: Account, charlie: Account):
    await _count(instance, alice, charlie)

    assert await contradicted(instance) == set()


async def test_what_is_broken_by_hand_is_found(instance: Instance, alice: Account, charlie: Account):
    await _count(instance, alice, charlie)
    missed: list[tuple[str, str]] = []

    for check in integrity_checks():
        for what, sql in BREAKS[check.name].items():
            with contextlib.suppress(Undone):
                async with instance.database.write() as tx:
                    assert await tx.execute(text(sql)) > 0, (check.name, what)
                    if not await violations(tx, check):
                        missed.append((check.name, what))
                    raise Undone

    assert missed == []
    assert await contradicted(instance) == set()


async def _count(instance: Instance, alice: Account, charlie: Account) -> None:
    """Calls of all kinds: of several people, in both modes, with a key, of a larger quantity, and refused ones."""
    async with instance.database.write() as tx:
        await tenancy.sync_member_count(tx, await platforms.find(tx, alice.project.platform_id), "live")
    await instance.set_limit(alice, "small", 5)
    headers = [
        alice.calls("bob"),
        alice.calls("ada"),
        alice.calls("ada", **{"Idempotency-Key": "k1"}),
        alice.calls("ada", **{"Idempotency-Key": "k1"}),
        {**alice.live, "X-User-Id": "bob"},
        charlie.calls("eve"),
    ]
    for one in headers:
        assert (await instance.api.post("/api/data", headers=one)).status_code == 200
    small = alice.calls("ada", **{"X-User-Plan": "small"})
    more = [await instance.api.post("/api/data", headers=small, json={"quantity": 3}) for _ in range(2)]
    assert [answer.status_code for answer in more] == [200, 429]
    await instance.set_limits(
        alice,
        "all",
        TierLimit(100, window=Window.HOUR),
        TierLimit(100, window=Window.DAY),
        TierLimit(100, window=Window.MONTH),
        TierLimit(100),
        TierLimit(3, meter="seats", aggregation="distinct"),
    )
    everything = alice.calls("ada", **{"X-User-Plan": "all"})
    for body in ({"quantity": 4}, {"quantity": -2}, {"meter": "seats", "subject": "phone"}, {"meter": "seats"}):
        assert (await instance.api.post("/api/data", headers=everything, json=body)).status_code == 200
    for who in (everything, {**alice.live, "X-User-Id": "bob"}):
        held = await instance.api.post("/api/usage/reserve", headers=who, json={"quantity": 3})
        assert held.status_code == 201, held.text
    async with instance.database.write() as tx:
        for action in ("key.issued", "key.rotated", "key.revoked"):
            by = Actor("user", alice.user_ids["owner"], "Alice", "127.0.0.1")
            details = {"mode": "test"} if action == "key.issued" else {}
            await audit.record(tx, alice.project.log_stream, action, by=by, details=details)
    upload = await instance.api.post("/api/assets", headers=alice.sk, content=b"\x89PNG\r\n\x1a\n")
    assert upload.status_code == 201, upload.text
    await _sell(await open_storefront(instance))
    await _subscribe(Seller(instance.api, alice.sk))


async def _subscribe(seller: Seller) -> None:
    """A month that was paid, with what it used, at two prices."""
    await seller.post("/tiers", {"name": "pro", "prices": [monthly("20"), metered("requests", 1, 10)]})
    await seller.post("/tiers", {"name": "max", "prices": [monthly("20"), metered("requests", 3, 1)]})
    subscription = await seller.subscribe("zoe", "pro")
    await seller.usage_soon("zoe", "pro")
    await seller.count("zoe", 25)
    await seller.post(f"/api/subscriptions/{subscription['id']}/change", {"tier": "max"})
    await seller.usage_soon("zoe", "max")
    await seller.count("zoe", 4)
    await seller.advance(beyond=subscription["currentPeriodEnd"], hours=2)


async def _sell(storefront: Storefront) -> None:
    """An order that is paid and a part of it given back, and one that nobody has paid yet."""
    mug, pen = await storefront.sell("mug", inventory=9), await storefront.sell("pen")
    order_id = await storefront.bought((mug, 2), (pen, 1))
    assert (await storefront.refund(order_id, lines=[{"line": 1, "quantity": 1}], restock=True)).status_code == 201
    await storefront.sent_to_pay((mug, 3))


async def contradicted(instance: Instance) -> set[str]:
    """The names of the checks that do not hold."""
    findings = [await run_check(instance.database, check) for check in integrity_checks()]
    return {finding.check.name for finding in findings if not finding.holds}
