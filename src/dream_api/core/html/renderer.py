"""Renders templates; everything that is put into one is escaped."""

import hashlib
import re
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

_PACKAGE = "dream_api.core.html"
# What pages link to: the style sheet, and the script, which pages also work without.
ASSETS = Path(__file__).parent / "static"
_CODE = re.compile(r"`([^`]+)`")


class TemplateRenderer:
    """Renders the templates of these packages, the first one first, in core's layout, with these extra filters."""

    def __init__(self, *packages: str, **filters: Callable[..., Any]) -> None:
        self._packages = (*packages, _PACKAGE)
        self._filters = filters

    def render(self, template: str, **values: Any) -> str:
        return self._environment.get_template(template).render(assets_version=_assets_version(), **values)

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            loader=ChoiceLoader([PackageLoader(package, "templates") for package in dict.fromkeys(self._packages)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"spoken": code_spans, **self._filters}
        return environment


@cache
def _assets_version() -> str:
    """Stands in the addresses of all assets, so that no page is shown with those of another release."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(ASSETS.iterdir()))).hexdigest()[:8]


def code_spans(sentence: str) -> Markup:
    """A sentence in which names stand between backticks, as HTML."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(sentence))))  # noqa: S704 - escaped just here


render = TemplateRenderer(_PACKAGE).render
