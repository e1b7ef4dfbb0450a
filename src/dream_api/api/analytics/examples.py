"""OpenAPI examples of figures."""

from typing import Any


def _usd(amount: int) -> dict[str, Any]:
    return {"currency": "usd", "amount": amount, "price": f"{amount / 100:.2f}"}


_SUMS = {"currency": "usd", "gross": _usd(3998), "refunded": _usd(500), "lost": _usd(0), "net": _usd(3498)}
_SPAN = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-22T00:00:00Z"}

DASHBOARD: dict[str, Any] = {
    "mode": "test",
    **_SPAN,
    "mrr": [_usd(3998)],
    "trialMrr": [_usd(1999)],
    "subscriptions": {
        "byStatus": {"free": 0, "trialing": 1, "active": 2, "past_due": 0, "paused": 0, "canceled": 1},
        "holding": 3,
        "started": 1,
        "ended": 1,
        "heldAtStart": 3,
        "lost": 1,
        "churn": 0.3333,
        "trialsOver": 0,
        "trialsConverted": 0,
        "trialConversion": None,
    },
    "customers": {"active": 12, "new": 2},
    "revenue": [
        {
            **_SUMS,
            "days": [
                {"at": "2026-11-20T00:00:00Z", "gross": 3998, "refunded": 0, "lost": 0, "net": 3998},
                {"at": "2026-11-21T00:00:00Z", "gross": 0, "refunded": 500, "lost": 0, "net": -500},
            ],
        }
    ],
    "usage": [
        {
            "meter": "requests",
            "total": 1280,
            "calls": 640,
            "days": [
                {"at": "2026-11-20T00:00:00Z", "total": 0, "calls": 0},
                {"at": "2026-11-21T00:00:00Z", "total": 1280, "calls": 640},
            ],
        }
    ],
    "nearLimits": [
        {
            "customer": "cus_01k9q3v8zd0g2m4n6p8r0t2v4w",
            "userId": "user_123",
            "plan": "free",
            "meter": "requests",
            "window": "period",
            "count": 950,
            "limit": 1000,
            "percent": 95,
            "periodEnd": "2026-12-01T00:00:00Z",
        }
    ],
    "orders": {"processing": 0, "completed": 0, "failed": 0, "canceled": 0, "refunded": 0},
    "lowStock": [],
    "events": [
        {
            "id": "evt_01k9q3v8zd0g2m4n6p8r0t2v4w",
            "type": "payment.refunded",
            "createdAt": "2026-11-21T09:14:00Z",
            "data": {"paymentId": "pay_01k9q3v8zd0g2m4n6p8r0t2v4w", "amount": 3998, "refundedAmount": 500},
        }
    ],
}

_LIVE: dict[str, Any] = {
    "mrr": [_usd(3998)],
    "trialMrr": [],
    "subscriptions": 2,
    "customers": {"active": 12, "new": 2},
    "revenue": [_SUMS],
}

TOTALS: dict[str, Any] = {
    **_LIVE,
    **_SPAN,
    "projects": [{**_LIVE, "project": "prj_01k9q3v8zd0g2m4n6p8r0t2v4w", "name": "My API", "type": "saas"}],
}
