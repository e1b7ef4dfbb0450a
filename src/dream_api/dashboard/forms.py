"""Forms of pages: reading and submitting them, errors by field, integers, dates and confirmations."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from dream_api.auth.browser_sessions import SignedIn
from dream_api.auth.csrf import read_csrf_form
from dream_api.auth.public_pages import AnyViewer
from dream_api.auth.public_pages import read_public_form as read_public
from dream_api.core import clock
from dream_api.core.errors import AppError, Conflict, Invalid, ValidationFailed
from dream_api.core.http import Form
from dream_api.dashboard.layout import redirect

_MOST_DIGITS = 16
_LONGEST_REASON = 255
# The year after it is the last that calendars know.
_LAST_YEAR = 9_998
# By the name of its field, what is wrong with it; "": with the whole form.
FormErrors = dict[str, str]
# What was sent and the values of the path and the dependencies, by the names of the handler's parameters.
Given = Mapping[str, Any]
Shown = Callable[..., Awaitable[Response] | Response]


async def _read_form(request: Request, user: SignedIn) -> Form:
    return await read_csrf_form(request, user)


async def _read_public_form(request: Request, viewer: AnyViewer) -> Form:
    return await read_public(request, viewer)


# The fields of a form of somebody who is signed in, and of anybody; its CSRF token was checked.
SentForm = Annotated[Form, Depends(_read_form)]
SentPublicForm = Annotated[Form, Depends(_read_public_form)]


def submits(
    router: APIRouter,
    path: str,
    again: Shown,
    *,
    fields: Mapping[str, str] | Callable[[AppError, Given], FormErrors] | None = None,
    errors: type[AppError] | tuple[type[AppError], ...] = (Invalid, Conflict),
) -> Callable[[Callable[..., Awaitable[Response | str]]], Callable[..., Awaitable[Response]]]:
    """A decorator: the handler commits what the form asks for and returns the address that shows the result.

    On one of the errors, `again` shows the page once more. It is passed what it takes of the handler's arguments, of
    `problems` (the sentence by its field) and `error`. `fields`: how the page calls what the rules name otherwise.
    """

    def register(handler: Callable[..., Awaitable[Response | str]]) -> Callable[..., Awaitable[Response]]:
        @wraps(handler)
        async def answer(**given: Any) -> Response:
            try:
                done = await handler(**given)
            except errors as error:
                problems = fields(error, given) if callable(fields) else form_errors(error, fields)
                return await _call(again, {**given, "problems": problems, "error": error})
            return redirect(done) if isinstance(done, str) else done

        router.post(path, response_model=None)(answer)
        return answer

    return register


async def _call(again: Shown, given: Given) -> Response:
    taken = inspect.signature(again).parameters
    page = again(**{name: value for name, value in given.items() if name in taken})
    return await page if isinstance(page, Awaitable) else page


def form_errors(error: AppError, fields: Mapping[str, str] | None = None) -> FormErrors:
    """The sentence for the field at fault; `fields`: how the page calls what the rules name otherwise."""
    param = error.param or ""
    return {(fields or {}).get(param, param): error.sentence}


def errors_of(*names: str) -> Callable[[AppError, Given], FormErrors]:
    """For pages with these fields only: every other error is one of the whole form."""
    return lambda error, _: {error.param if error.param in names else "": error.sentence}


def parse_integer(form: Form, field: str) -> int | None:
    """The whole number that was typed; None where nothing was."""
    typed = form.get(field, "").replace(",", "")
    if not typed:
        return None
    if not (typed.isascii() and typed.removeprefix("-").isdecimal()) or len(typed) > _MOST_DIGITS:
        raise ValidationFailed("Enter a whole number, such as 1000.", param=field)
    return int(typed)


def parse_date_end(form: Form, field: str) -> int | None:
    """When the UTC day that was typed is over; None where none was."""
    typed = form.get(field, "")
    if not typed:
        return None
    try:
        day = datetime.strptime(typed, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ValidationFailed("Enter a date, such as 2027-01-31.", param=field) from None
    if day.year > _LAST_YEAR:
        raise ValidationFailed("This date is too far in the future. Leave it empty for no end date.", param=field)
    return clock.from_datetime(day) + clock.DAY


def parse_reason(form: Form, param: str = "reason") -> str | None:
    """Why something is refunded or canceled; `param`: the field that shows the error."""
    reason = form.get("reason") or None
    if reason is not None and len(reason) > _LONGEST_REASON:
        raise ValidationFailed(f"A reason has at most {_LONGEST_REASON} characters.", param=param)
    return reason


def require_confirmation(form: Form, name: str, field: str = "confirm") -> None:
    """What cannot be undone takes the name of what it is done to."""
    if form.get(field, "") != name:
        raise ValidationFailed(f"Type {name} to confirm.", param=field)
