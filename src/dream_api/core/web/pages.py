"""Renders templates; everything that is put into one is escaped."""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

_STYLE = Path(__file__).with_name("dream.css")
_CODE = re.compile(r"`([^`]+)`")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dream_api.core.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["spoken"] = spoken
    return environment


def render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(style_version=_style_version(), **values)


@cache
def _style_version() -> str:
    """Stands in the style sheet's address, so that no page is shown in the style of another release."""
    return hashlib.sha256(_STYLE.read_bytes()).hexdigest()[:8]


def spoken(sentence: str) -> Markup:
    """A sentence in which names stand between backticks, as HTML."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(sentence))))  # noqa: S704 - escaped just here
