"""Pages that list something: columns, filters, sort order, pages by cursor, exports and empty states.

A section says what its list consists of (`ListPage`) and what may be asked of it (`ListQuery`); `list.html` shows it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Annotated, Any, Generic, Literal, TypeVar
from urllib.parse import urlencode

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from dream_api.core.db import Database
from dream_api.core.html import format as formats
from dream_api.dashboard.dependencies import EXPORT, PlatformContext, ProjectContext
from dream_api.dashboard.exports import MOST_ROWS, ExportColumns, Fetch, Format, export_file, read_pieces
from dream_api.dashboard.layout import render_page
from dream_api.platforms import Permission

T = TypeVar("T")
V = TypeVar("V", bound=PlatformContext)
Q = TypeVar("Q", bound="ListQuery")

PAGE_SIZE = 50
_LONGEST = 255
Text = Annotated[str, Field(max_length=_LONGEST, pattern=r"^[^\x00]*$")]
Sort = Literal["newest", "oldest"]


def cursor(prefix: str, *, alias: str = "after") -> Any:
    """The field `after` of a query: the id of the last row of the page before."""
    length = len(prefix) + 27
    return Field(default=None, alias=alias, min_length=length, max_length=length, pattern=r"^[a-z]+_[0-9a-z]{26}$")


class ListQuery(BaseModel):
    """The query string of a list: its filters by their names, the sort order, and the cursor `after`."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)

    @property
    def cursor(self) -> Any:
        return getattr(self, "after", None)

    @property
    def values(self) -> dict[str, str]:
        """Filters and sort order by their names in the address, but those that are empty."""
        fields = self.model_dump(by_alias=True, exclude={"after"})
        return {name: str(value) for name, value in fields.items() if value}

    @property
    def is_filtered(self) -> bool:
        return bool(self.values.keys() - {"sort"}) or self.cursor is not None

    def query(self, **more: object) -> str:
        """`?status=paid&sort=oldest`."""
        asked = urlencode({**self.values, **more})
        return f"?{asked}" if asked else ""

    def next_query(self, after: object) -> str:
        name = type(self).model_fields["after"].alias or "after"
        return self.query(**{name: after})


@dataclass(frozen=True)
class Column(Generic[T, V]):
    """A heading, and the cell of a row. `css`: `less`, `wide-only`, `long` …; `sort`: by which the heading sorts."""

    heading: str
    cell: Callable[[T, V], object]
    css: str = ""
    sort: str = ""
    is_heading_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """A field to type into."""

    name: str
    label: str
    kind: Literal["search"] = "search"


@dataclass(frozen=True, slots=True)
class Select:
    """A choice of (value, label); a list passes those that depend on data when it is shown."""

    name: str
    label: str
    options: Sequence[tuple[str, str]] = ()
    kind: Literal["select", "tabs"] = "select"


SORT = Select("sort", "Sort order", [("newest", "Newest first"), ("oldest", "Oldest first")])
Filter = Search | Select


@dataclass(frozen=True, slots=True)
class Action:
    """A button that leads to another page, for whose role has the permission."""

    label: str
    path: str
    permission: Permission = "view"
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class Empty:
    """What is shown before there is anything: what belongs here, and what to do first."""

    title: str
    sentence: str
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    html: object
    css: str


@dataclass(frozen=True)
class ListPage(Generic[T, V]):
    """A list. `exports`: the columns of its files; `cursor`: None where all is on one page."""

    title: str
    here: str
    path: str
    columns: Sequence[Column[T, V]]
    empty: Empty
    filters: Sequence[Filter] = ()
    exports: ExportColumns[T] = field(default_factory=dict[str, Callable[[T], object]])
    formats: Sequence[Format] = ("csv",)
    # How many rows a file has at most; None: all of them.
    most_exported: int | None = MOST_ROWS
    actions: Sequence[Action] = ()
    cursor: Callable[[T], Any] | None = attrgetter("id")
    nothing_found: str = ""
    is_live: bool = False
    template: str = "list.html"

    async def show(
        self,
        db: Database,
        visit: V,
        query: ListQuery,
        fetch: Fetch[T],
        *,
        status: int = 200,
        options: Mapping[str, Sequence[tuple[str, str]]] | None = None,
        **values: Any,
    ) -> Response:
        """A page of it; `options` of its filters by their names, further `values` of its template."""
        async with db.read() as tx:
            found = await fetch(tx, PAGE_SIZE + 1, query.cursor)
        rows = found if self.cursor is None else found[:PAGE_SIZE]
        has_more = self.cursor is not None and len(found) > PAGE_SIZE
        shown: dict[str, Any] = {
            "page": self,
            "lead": "",
            "note": "",
            "command": "",
            "query": query,
            "options": options or {},
            "url": visit.base + self.path,
            "rows": [[Cell(column.cell(row, visit), column.css) for column in self.columns] for row in rows],
            "next_url": query.next_query(self.cursor(rows[-1])) if self.cursor and has_more else "",
            "may_export": bool(self.exports) and visit.may(EXPORT),
            "mode_path": self.path,
        }
        return render_page(visit, self.template, here=self.here, status=status, **(shown | values))

    def export(self, db: Database, name: str, fetch: Fetch[T], kind: Format = "csv") -> Response:
        """All of it, filtered alike, as a file."""
        return export_file(name, self.exports, read_pieces(db, fetch, self.cursor, most=self.most_exported), kind)


def text(read: Callable[[T], object]) -> Callable[[T, Any], object]:
    """A cell that needs nothing but its row."""
    return lambda row, _: read(row)


def project_time(read: Callable[[T], int | None]) -> Callable[[T, ProjectContext], object]:
    """A cell with how long ago it was by the project's clock, which wrote the time."""
    return lambda row, visit: formats.ago(read(row), visit.project_now)


def real_time(read: Callable[[T], int | None]) -> Callable[[T, PlatformContext], object]:
    """A cell with how long ago it was in real time."""
    return lambda row, visit: formats.ago(read(row), visit.real_now)


def joined(*parts: str) -> Markup:
    """Parts of a cell, with spaces between those that are not empty."""
    return Markup(" ").join(part for part in parts if part)
