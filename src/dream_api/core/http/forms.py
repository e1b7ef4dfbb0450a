"""HTML forms: bounded parsing, and the CSRF check."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request

from dream_api.core.errors import Forbidden, MalformedRequest, UnsupportedMedia
from dream_api.core.http.request_body import read_body

Form = dict[str, str]
_KIND = "application/x-www-form-urlencoded"
# As large as a form is that people fill in on an open page.
_LARGEST = 16_384
_MOST_FIELDS = 20
_HINT = "Reload the page and submit its form again."


class CSRFFailed(Forbidden):
    code = "csrf_failed"
    hint = "Reload the page and submit its form again."


async def read_form(request: Request, *, largest: int = _LARGEST, most_fields: int = _MOST_FIELDS) -> Form:
    """The form's fields, stripped, without NUL; UnsupportedMedia or MalformedRequest where the body is no form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _KIND:
        raise UnsupportedMedia("The body is not a form.", hint=_HINT)
    body = await read_body(request.receive, request.headers.get("content-length"), largest)
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=most_fields, errors="strict")
    except ValueError:
        raise MalformedRequest("The form cannot be read.", hint=_HINT) from None
    return {name: value.replace("\x00", "").strip() for name, value in fields}


def require_same_origin(headers: Mapping[str, str], link_base: str) -> None:
    """Raises CSRFFailed where the browser says that another website sent it."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:
        parts = urlsplit(link_base)
        is_ours = headers.get("origin") in (None, f"{parts.scheme}://{parts.netloc}")
    if not is_ours:
        raise CSRFFailed("Another website sent this form.")
