"""New objects in the shape of Stripe's API."""

from collections.abc import Sequence
from typing import Any

from dream_api.core import ids
from dream_api.gateways.contract import LineItem

Json = dict[str, Any]


def list_object(data: Sequence[Json], url: str) -> Json:
    return {"object": "list", "data": list(data), "has_more": False, "total_count": len(data), "url": url}


def price(line: LineItem, at: int) -> Json:
    """Our own price under its own id; a usage price is asked for at the end of each period."""
    ours = line.price
    recurring = None
    if ours.type != "one_time":
        recurring = {
            "interval": ours.interval or "month",
            "interval_count": ours.interval_count or 1,
            "meter": ours.meter,
            "trial_period_days": None,
            "usage_type": "metered" if ours.type == "usage" else "licensed",
        }
    is_tiered = ours.billing_scheme in ("tiered", "volume")
    return {
        "id": ours.id,
        "object": "price",
        "active": True,
        "billing_scheme": "tiered" if is_tiered else "per_unit",
        "created": at,
        "currency": ours.currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": ours.id,
        "metadata": {"price": ours.id},
        "nickname": None,
        "product": ours.tier_id,
        "recurring": recurring,
        "tax_behavior": "unspecified",
        "tiers_mode": {"tiered": "graduated", "volume": "volume"}.get(ours.billing_scheme),
        "transform_quantity": None if ours.per == 1 else {"divide_by": ours.per, "round": "up"},
        "type": "one_time" if recurring is None else "recurring",
        "unit_amount": ours.unit_amount,
        "unit_amount_decimal": None if ours.unit_amount is None else str(ours.unit_amount),
    }


def customer(email: str | None, currency: str, at: int) -> Json:
    customer_id = ids.new("cus")
    return {
        "id": customer_id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": at,
        "currency": currency,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": email,
        # Below zero: what following invoices are credited.
        "invoice_credit_balance": {},
        "invoice_prefix": customer_id[-8:].upper(),
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None},
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "shipping": None,
        "tax_exempt": "none",
    }


def subscription(customer_id: str, currency: str, metadata: dict[str, str], at: int, trial_end: int | None) -> Json:
    """Without its items."""
    subscription_id = ids.new("sub")
    return {
        "id": subscription_id,
        "object": "subscription",
        "application": None,
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_cycle_anchor": trial_end or at,
        "billing_mode": {"type": "flexible"},
        "billing_schedules": [],
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": at,
        "currency": currency,
        "customer": customer_id,
        "days_until_due": None,
        "default_payment_method": None,
        "description": None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": list_object([], f"/v1/subscription_items?subscription={subscription_id}"),
        "latest_invoice": None,
        "livemode": False,
        "metadata": metadata,
        "pause_collection": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": at,
        "status": "active" if trial_end is None else "trialing",
        "test_clock": None,
        "trial_end": trial_end,
        "trial_start": None if trial_end is None else at,
    }


def item(subscription_id: str, price_document: Json, quantity: int | None, period: tuple[int, int], at: int) -> Json:
    """A line of a subscription; of a usage price without a quantity."""
    made: Json = {
        "id": ids.new("si"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": at,
        "current_period_end": period[1],
        "current_period_start": period[0],
        "discounts": [],
        "metadata": {},
        "price": price_document,
        "subscription": subscription_id,
        "tax_rates": [],
    }
    return made if quantity is None else made | {"quantity": quantity}


def portal(session_id: str, url: str, customer_id: str, return_url: str, at: int) -> Json:
    return {
        "id": session_id,
        "object": "billing_portal.session",
        "configuration": "bpc_sandbox",
        "created": at,
        "customer": customer_id,
        "flow": None,
        "livemode": False,
        "locale": None,
        "on_behalf_of": None,
        "return_url": return_url,
        "url": url,
    }
