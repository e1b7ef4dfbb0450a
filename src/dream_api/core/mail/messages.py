"""Email messages, as text and as HTML, from a package's templates."""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template, select_autoescape

_LAYOUT = "dream_api.core.html"
_SUBJECT = "Subject: "
# One address and nothing else: what ends a header or begins a second address has no place in it.
_ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f<>()\[\]\\,;:\"@]{1,64}@[^\s\x00-\x1f\x7f<>()\[\]\\,;:\"@]{1,255}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class EmailMessage:
    """An email to one address; ValueError where the address or the subject could begin another header."""

    to: str
    subject: str
    text: str
    html: str

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.to):
            raise ValueError("An email has one recipient address.")
        if not self.subject or _CONTROLS.search(self.subject):
            raise ValueError("An email's subject is one line.")


class EmailTemplates:
    """Email templates of a package: `templates/mail/<name>.txt`, which begins with `Subject: …`, and `<name>.html`."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._texts = cache(self._read)

    def write(self, name: str, *, to: str, **values: Any) -> EmailMessage:
        """The email of that template with these values; they are escaped in the HTML."""
        subject, text = self._texts(name)
        html = self._environment.get_template(f"mail/{name}.html")
        title = " ".join(subject.render(values).split())
        return EmailMessage(to, title, text.render(values).strip() + "\n", html.render(subject=title, **values))

    @cached_property
    def _environment(self) -> Environment:
        packages = dict.fromkeys((self._package, _LAYOUT))
        return Environment(
            loader=ChoiceLoader([PackageLoader(package, "templates") for package in packages]),
            autoescape=select_autoescape(["html"], default_for_string=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def _read(self, name: str) -> tuple[Template, Template]:
        """The templates of the subject and of the text: separate, so that no value can end the subject."""
        assert self._environment.loader is not None
        source, _, _ = self._environment.loader.get_source(self._environment, f"mail/{name}.txt")
        first, _, rest = source.partition("\n")
        if not first.startswith(_SUBJECT):
            raise ValueError(f"The template {name} does not begin with its subject.")
        return self._environment.from_string(first.removeprefix(_SUBJECT)), self._environment.from_string(rest)
