"""Cells of tables, as HTML: what is put into them is escaped."""

from collections.abc import Iterable

from markupsafe import Markup

from dream_api.core.html.format import format_amount

NONE = Markup('<span class="soft">–</span>')


def link(url: str, text: object, below: object = "") -> Markup:
    """A link, with a quiet line below."""
    return Markup('<a href="{}">{}</a>').format(url, text) + under(below)


def under(text: object) -> Markup:
    """A quiet line below what a cell is about; nothing where there is none."""
    return Markup('<br><small class="soft">{}</small>').format(text) if text else Markup("")


def soft(text: object) -> Markup:
    return Markup('<span class="soft">{}</span>').format(text)


def code(text: object) -> Markup:
    return Markup("<code>{}</code>").format(text)


def narrow_only(text: object) -> Markup:
    """What a column that narrow screens leave out would say."""
    return Markup(' <small class="narrow-only cut">{}</small>').format(text) if text else Markup("")


def lines(texts: Iterable[str], *, none: str) -> Markup:
    """One below the other."""
    return Markup("<br>").join(texts) or soft(none)


def amount(minor: int, currency: str, refunded: int = 0) -> Markup:
    """An amount of money, and what was refunded of it."""
    below = f"{format_amount(refunded, currency)} refunded" if refunded else ""
    return Markup("{}").format(format_amount(minor, currency)) + under(below)


def post(url: str, label: str, csrf: str, *, about: str) -> Markup:
    """A form of one button; `about` says to screen readers of what."""
    return Markup(
        '<form method="post" action="{}"><input type="hidden" name="csrf" value="{}">'
        '<button class="link" aria-label="{} {}">{}</button></form>'
    ).format(url, csrf, label, about, label)


def state_link(url: str, text: object, tone: str) -> Markup:
    """A link in the colour of a state."""
    return Markup('<a class="state {}" href="{}">{}</a>').format(tone, url, text)
