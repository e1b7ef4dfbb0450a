"""The forms of a page, with what a browser would send of each."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class PageForm:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


def forms_in(page: str, path: str) -> list[PageForm]:
    """Those that are posted; a form without an address goes to the page's own."""
    parser = _Forms(path)
    parser.feed(page)
    return parser.forms


class _Forms(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._path = path
        self._open: PageForm | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "").lower() == "post":
            self._open = PageForm(given.get("action") or self._path)
            self.forms.append(self._open)
        elif self._open is not None:
            self._add(self._open, tag, given)

    def _add(self, form: PageForm, tag: str, given: dict[str, str]) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and (self._select not in form.fields or "selected" in given):
            form.fields[self._select] = value
        elif name and tag in ("input", "textarea", "button"):
            is_choice = given.get("type") in ("radio", "checkbox")
            if not is_choice or "checked" in given or name not in form.fields:
                form.fields[name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""
