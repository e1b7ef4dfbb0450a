"""Renders templates; everything that is put into one is escaped."""

import hashlib
import re
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

_PACKAGE = "dream_api.core.web"
_STYLE = Path(__file__).with_name("dream.css")
_CODE = re.compile(r"`([^`]+)`")


class Pages:
    """The templates of a package, in core's frame; its filters say what only they say."""

    def __init__(self, package: str, **filters: Callable[..., Any]) -> None:
        self._package = package
        self._filters = filters

    def render(self, template: str, **values: Any) -> str:
        return self._environment.get_template(template).render(style_version=_style_version(), **values)

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            loader=ChoiceLoader([PackageLoader(package, "templates") for package in (self._package, _PACKAGE)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"spoken": spoken, **self._filters}
        return environment


@cache
def _style_version() -> str:
    """Stands in the style sheet's address, so that no page is shown in the style of another release."""
    return hashlib.sha256(_STYLE.read_bytes()).hexdigest()[:8]


def spoken(sentence: str) -> Markup:
    """A sentence in which names stand between backticks, as HTML."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(sentence))))  # noqa: S704 - escaped just here


render = Pages(_PACKAGE).render
