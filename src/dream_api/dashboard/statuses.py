"""Labels and tones of the statuses that pages show."""

from typing import Literal

from markupsafe import Markup

from dream_api.billing import display

Kind = Literal["order", "subscription", "invoice", "payment", "customer", "email"]
# Of payments and refunds alike.
_PAYMENT = {
    "asked": ("Requested", "warn"),
    "pending": ("Pending", "warn"),
    "succeeded": ("Succeeded", "good"),
    "failed": ("Failed", "bad"),
    "canceled": ("Canceled", ""),
}
_OTHERS: dict[Kind, dict[str, tuple[str, str]]] = {
    "order": {
        "processing": ("Pending", "warn"),
        "completed": ("Paid", "good"),
        "failed": ("Failed", "bad"),
        "canceled": ("Canceled", ""),
        "refunded": ("Refunded", ""),
    },
    "payment": _PAYMENT,
    "email": {
        "waiting": ("Queued", ""),
        "sent": ("Sent", "good"),
        "kept": ("Not sent", ""),
        "failed": ("Failed", "bad"),
    },
    "customer": {"active": ("Active", "good"), "blocked": ("Blocked", "bad"), "deleted": ("Deleted", "")},
}


def label(status: str, kind: Kind) -> str:
    """`Payment failed`."""
    return _of(status, kind)[0]


def badge(text: str, tone: str = "") -> Markup:
    """A state with its colour."""
    return Markup('<span class="state {}">{}</span>').format(tone, text)


def state(status: str, kind: Kind) -> Markup:
    """The status of an object, as a badge."""
    return badge(*_of(status, kind))


def options(kind: Kind) -> list[tuple[str, str]]:
    """All statuses of the kind, for a filter."""
    known = _OTHERS[kind] if kind in _OTHERS else dict.fromkeys(_SUBSCRIPTION, ("", ""))
    return [("", "All"), *((one, label(one, kind)) for one in known)]


_SUBSCRIPTION = ("active", "trialing", "past_due", "paused", "canceled")


def _of(status: str, kind: Kind) -> tuple[str, str]:
    if kind in _OTHERS:
        return _OTHERS[kind].get(status, (status, ""))
    return ("Draft", "") if status == "draft" else (display.status_label(status), display.status_tone(status))
