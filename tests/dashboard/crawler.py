"""Follows every link of every page that somebody is shown, and collects the forms on them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from urllib.parse import SplitResult, parse_qsl, urljoin, urlsplit

import httpx2 as httpx
from fastapi.routing import APIRoute
from starlette.routing import Match

from dream_api.app import ROUTERS

# Forms that end what other forms are about, and at last the session.
_FINAL = re.compile(r"remove|leave|delete|close|transfer|sessions|revoke|cancel|archive")
_PROJECT = re.compile(r"prj_\w+/\w+")
_ERROR = 400
Fields = dict[str, str]


@dataclass(slots=True)
class Form:
    """A form as the browser would send it: on which page, where to, and what its fields hold."""

    page: str
    method: str
    action: str
    fields: Fields = field(default_factory=dict[str, str])

    @property
    def path(self) -> str:
        return urlsplit(self.action).path


class _Page(HTMLParser):
    """The links and forms of a page."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._add_links(given)
        if tag == "form":
            action = urljoin(self.url, given.get("action") or self.url)
            self._form = Form(self.url, given.get("method", "get").lower(), action)
            self.forms.append(self._form)
        elif self._form is not None:
            self._add_field(self._form, tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None

    def _add_links(self, given: Fields) -> None:
        """A link to copy leads somewhere, too."""
        copied = given.get("data-copy", "")
        found = [given.get("href"), given.get("src"), copied if copied.startswith("http") else None]
        self.links += [urljoin(self.url, link) for link in found if link]

    def _add_field(self, form: Form, tag: str, given: Fields) -> None:
        if "formaction" in given:
            self.forms.append(Form(self.url, form.method, urljoin(self.url, given["formaction"]), form.fields))
        if tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and ("selected" in given or self._select not in form.fields):
            form.fields[self._select] = given.get("value", "")
        elif "name" in given and (given.get("type") not in ("radio", "checkbox") or "checked" in given):
            form.fields.setdefault(given["name"], given.get("value", ""))


@dataclass(slots=True)
class Site:
    """What somebody reaches: the status of each page, a page that links to it, and all forms."""

    statuses: dict[str, int] = field(default_factory=dict[str, int])
    linked_on: dict[str, str] = field(default_factory=dict[str, str])
    forms: list[Form] = field(default_factory=list[Form])

    @property
    def broken(self) -> list[str]:
        """The links that lead to an error."""
        failed = {url: status for url, status in self.statuses.items() if status >= _ERROR}
        return [f"{status} {url} (on {self.linked_on.get(url, '-')})" for url, status in failed.items()]

    @property
    def pages(self) -> set[str | None]:
        """The routes of the pages that were shown."""
        return {route_of("GET", urlsplit(url).path) for url in self.statuses}

    @property
    def actions(self) -> set[str | None]:
        """The routes of the forms that were shown."""
        return {route_of("POST", form.path) for form in self.forms if form.method == "post"}

    def posts(self) -> Iterator[Form]:
        """One form of each route, project and mode; those that end something come last."""
        seen: set[str] = set()
        for form in sorted(self.forms, key=_finality):
            key = _kind_of("POST", form.path)
            if form.method == "post" and key not in seen:
                seen.add(key)
                yield form


async def crawl(
    api: httpx.AsyncClient,
    headers: Mapping[str, str],
    *,
    starts: Sequence[str],
    within: Sequence[str] = ("/",),
    host: str = "",
) -> Site:
    """All pages that links lead to from the first ones; `host`: how the instance names itself.

    Only the links of pages behind the paths `within` are followed, and only their forms are collected.
    """
    site, alike = Site(), set[str]()
    waiting = [urljoin(str(api.base_url), start) for start in starts]
    while waiting:
        url = waiting.pop()
        parts = urlsplit(url)
        kind = f"{_kind_of('GET', parts.path)} {sorted(name for name, _ in parse_qsl(parts.query))}"
        # One of each kind in each project and mode: one product, one value of a filter.
        if kind in alike:
            continue
        alike.add(kind)
        answer = await api.get(url, headers=dict(headers))
        site.statuses[url] = answer.status_code
        if not parts.path.startswith(tuple(within)):
            continue
        page = _read(url, answer)
        site.forms += page.forms
        for link in [*page.links, *(form.action for form in page.forms if form.method == "get")]:
            target = _own(api, urlsplit(link), host)
            if target is not None:
                site.linked_on.setdefault(target, url)
                waiting.append(target)
    return site


def forms_of(url: str, text: str) -> list[Form]:
    """The forms on a page."""
    page = _Page(url)
    page.feed(text)
    return page.forms


def _read(url: str, answer: httpx.Response) -> _Page:
    page = _Page(url)
    if "location" in answer.headers:
        page.links.append(urljoin(url, answer.headers["location"]))
    elif answer.headers.get("content-type", "").startswith("text/html"):
        page.feed(answer.text)
    return page


def _own(api: httpx.AsyncClient, link: SplitResult, host: str) -> str | None:
    """The URL as the client reaches it; None where it leads elsewhere."""
    own = urlsplit(str(api.base_url))
    if link.scheme != own.scheme or link.netloc not in (own.netloc, host):
        return None
    return link._replace(netloc=own.netloc, fragment="").geturl()


def _finality(form: Form) -> tuple[bool, bool]:
    return form.path.endswith("/sign-out"), _FINAL.search(form.path) is not None


def _kind_of(method: str, path: str) -> str:
    return " ".join([route_of(method, path) or path, *_PROJECT.findall(path)])


@cache
def route_of(method: str, path: str) -> str | None:
    """The path of the route that answers, with the names of its parameters."""
    scope = {"type": "http", "method": method, "path": path, "headers": []}
    for route in routes():
        if route.matches(scope)[0] is Match.FULL:
            return route.path
    return None


def routes() -> Iterator[APIRoute]:
    """Of all pages and endpoints."""
    for router in ROUTERS:
        yield from (route for route in router.routes if isinstance(route, APIRoute))
