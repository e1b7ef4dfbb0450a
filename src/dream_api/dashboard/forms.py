"""Form helpers: errors by field, integers, dates and confirmations."""

from collections.abc import Mapping
from datetime import UTC, datetime

from dream_api.core import clock
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.core.http import Form

_MOST_DIGITS = 16
# The year after it is the last that calendars know.
_LAST_YEAR = 9_998
# By the name of its field, what is wrong with it; "": with the whole form.
FormErrors = dict[str, str]


def form_errors(error: AppError, fields: Mapping[str, str] | None = None) -> FormErrors:
    """The sentence for the field at fault; `fields`: how the page calls what the rules name otherwise."""
    param = error.param or ""
    return {(fields or {}).get(param, param): error.sentence}


def parse_integer(form: Form, field: str) -> int | None:
    """The whole number that was typed; None where nothing was."""
    typed = form.get(field, "").replace(",", "")
    if not typed:
        return None
    if not (typed.isascii() and typed.removeprefix("-").isdecimal()) or len(typed) > _MOST_DIGITS:
        raise ValidationFailed("Type a whole number, such as 1000.", param=field)
    return int(typed)


def parse_date_end(form: Form, field: str) -> int | None:
    """When the UTC day that was typed is over; None where none was."""
    typed = form.get(field, "")
    if not typed:
        return None
    try:
        day = datetime.strptime(typed, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ValidationFailed("Type a day, such as 2027-01-31.", param=field) from None
    if day.year > _LAST_YEAR:
        raise ValidationFailed("That day is too far away; leave it empty for no end.", param=field)
    return clock.from_datetime(day) + clock.DAY


def require_confirmation(form: Form, name: str) -> None:
    """What cannot be taken back is named by who does it."""
    if form.get("confirm", "") != name:
        raise ValidationFailed(f"Type {name} to confirm.", param="confirm")
