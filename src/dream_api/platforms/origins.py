"""Origins of a project: the websites that may call it and be redirected to; in test mode this machine as well.

URLs are read by one strict grammar, so that no browser can see another host in them than we do: what is not plain is
refused, not repaired.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dream_api.core.cache import invalidate
from dream_api.core.db import Tx
from dream_api.core.errors import Forbidden, Invalid, ValidationFailed
from dream_api.platforms import queries
from dream_api.platforms.rules import CACHE_KIND, Mode, Project, find_project

_MOST_ORIGINS = 50
_LONGEST_URL = 2_048
_LONGEST_HOST = 253
_HIGHEST_PORT = 65_535
# Of a host with a star, the star among them: *.myapp and the last one, com.
_FIXED_LABELS = 2
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# Visible ASCII without the backslash, which browsers read as a slash.
_VISIBLE = re.compile(r"[!-\[\]-~]+")
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>\[::1\]|(?:\*\.)?{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>\d{{1,5}}))?(?P<rest>[/?#].*)?",
    re.IGNORECASE,
)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORM = "Use the format https://myapp.com, https://*.myapp.com or http://localhost:3000, without a path."
_LATE_STAR = "The * replaces one whole part of the host name, and at least two parts must follow it."


class RedirectNotAllowed(Invalid):
    code = "redirect_not_allowed"
    hint = "Add the origin with `dream-api project origins PROJECT --add https://…`."


class OriginNotAllowed(Forbidden):
    code = "origin_not_allowed"
    hint = "Add the origin with `dream-api project origins PROJECT --add https://…`."


@dataclass(frozen=True, slots=True)
class _Origin:
    scheme: str
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return self.host in _LOOPBACK

    @property
    def has_star(self) -> bool:
        return self.host.startswith("*.")

    def __str__(self) -> str:
        """As browsers write it."""
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def starred(self) -> str:
        """The entry with a star that it would match."""
        return str(replace(self, host=f"*.{self.host.partition('.')[2]}"))


def normalize_origin(text: str, param: str = "origin") -> str:
    """The origin as browsers write it; refuses what is none that a project may list."""
    found, rest = _read(text.strip())
    if found is None or rest not in ("", "/"):
        raise ValidationFailed("This is not a valid origin.", param=param, hint=_FORM)
    if found.scheme != "https" and not found.is_loopback:
        raise ValidationFailed("An origin must begin with https://, except localhost.", param=param, hint=_FORM)
    *labels, last = found.host.split(".")
    if found.has_star and (len(labels) < _FIXED_LABELS or last.isdigit()):
        raise ValidationFailed(_LATE_STAR, param=param, hint=_FORM)
    return str(found)


async def change_origins(tx: Tx, project: Project, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Project:
    """The project with these origins more and less, in force everywhere within a second."""
    await queries.lock_project(tx, project.platform_no, project.id)  # what another adds meanwhile is not lost
    held = await find_project(tx, project.id)
    gone = [normalize_origin(text, "remove") for text in remove]
    for origin in gone:
        if origin not in held.origins:
            raise ValidationFailed(f"{origin} is not one of the project's origins.", param="remove", hint=_LISTS)
    come = [normalize_origin(text, "add") for text in add]
    origins = tuple(dict.fromkeys(one for one in (*held.origins, *come) if one not in gone))
    if len(origins) > _MOST_ORIGINS:
        raise ValidationFailed(f"A project can have at most {_MOST_ORIGINS} origins.", param="add", hint=_STAR)
    await queries.set_origins(tx, project.platform_no, project.id, origins)
    await invalidate(tx, CACHE_KIND, project.id)
    return replace(held, origins=origins)


_LISTS = "Leave out --add and --remove to see the current origins."
_STAR = "Replace several origins by one with a *, such as https://*.myapp.com."


def require_allowed_redirect(project: Project, mode: Mode, url: str, param: str) -> None:
    """Raises RedirectNotAllowed where people may not be sent to the URL."""
    if len(url) > _LONGEST_URL:
        raise RedirectNotAllowed(f"A URL can have at most {_LONGEST_URL:,} characters.", param=param, hint=_SHORTER)
    found, _ = _read(url)
    if found is None or found.has_star:
        raise RedirectNotAllowed("Enter an absolute URL.", param=param, hint=_ABSOLUTE)
    if not _admits(project, mode, found):
        raise RedirectNotAllowed(
            f"The origin {found} is not one of the project's origins.", param=param, hint=_command(project, found)
        )


_SHORTER = "Store long data in your own system, and put only its ID into the URL."
_ABSOLUTE = (
    "Send a full URL in ASCII, such as https://myapp.com/thanks. Encode domain names with xn-- and other characters "
    "with %XX."
)


def require_allowed_origin(project: Project, mode: Mode, origin: str) -> None:
    """Raises OriginNotAllowed where pages of the origin may not call; `origin` is the header of that name."""
    found, rest = _read(origin)
    if found is None or rest or str(found) != origin:
        raise OriginNotAllowed(
            "The header Origin does not name a website.", hint="Open the page with https://, not from a file."
        )
    if not _admits(project, mode, found):
        raise OriginNotAllowed(
            f"The origin {found} is not one of the project's origins.", hint=_command(project, found)
        )


def _admits(project: Project, mode: Mode, found: _Origin) -> bool:
    if mode == "test" and found.is_loopback:
        return True
    return not found.has_star and (str(found) in project.origins or found.starred in project.origins)


def _read(url: str) -> tuple[_Origin | None, str]:
    """The origin of an absolute URL and what follows it; None where it is not plain beyond doubt."""
    matched = _URL.fullmatch(url) if _VISIBLE.fullmatch(url) else None
    if matched is None:
        return None, ""
    scheme, host = matched["scheme"].lower(), matched["host"].lower()
    port = int(matched["port"] or _DEFAULT_PORTS[scheme])
    if len(host) > _LONGEST_HOST or not 0 < port <= _HIGHEST_PORT:
        return None, ""
    return _Origin(scheme, host, port), matched["rest"] or ""


def _command(project: Project, found: _Origin) -> str:
    if found.scheme != "https" and not found.is_loopback:
        return "Use https:// instead of http://."
    return f"List it: `dream-api project origins {project.id} --add {found}`."
