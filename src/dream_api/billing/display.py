"""Labels and tones of statuses, for pages."""

_STATUSES = {
    "trialing": ("Trial", "good"),
    "active": ("Active", "good"),
    "past_due": ("Payment failed", "bad"),
    "paused": ("Paused", "warn"),
    "canceled": ("Canceled", "quiet"),
    "open": ("Open", "bad"),
    "paid": ("Paid", "good"),
    "void": ("Void", "quiet"),
    "uncollectible": ("Uncollectible", "quiet"),
}


def status_label(of: str) -> str:
    return _STATUSES[of][0]


def status_tone(of: str) -> str:
    """Whether a status is good or bad news."""
    return _STATUSES[of][1]
