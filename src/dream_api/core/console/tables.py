"""Tables and times on a terminal."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table as RichTable
from rich.text import Text

from dream_api.core import clock
from dream_api.core.html.format import day as format_day
from dream_api.core.html.format import number as format_number

Cell = str | int | Text

_GAP = 3
_ELASTIC_WIDTH = 10


class Table:
    """Rows under their columns' names; numbers are right-aligned.

    On a narrow terminal the elastic columns shrink (by default the first one), then the last columns are left
    out: nothing else is ever cut, so that ids can be copied.
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        empty: str,
        elastic: Collection[str] | None = None,
        numbers: Collection[str] = (),
    ) -> None:
        """`empty` says what belongs here and how it comes here."""
        self._columns = columns
        self._rows = [[_cell(cell) for cell in row] for row in rows]
        self._empty = empty
        self._elastic = columns[:1] if elastic is None else elastic
        self._numbers = numbers

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self._rows:
            yield Text(self._empty)
            return
        hairline = box.SIMPLE_HEAD if console.is_terminal else None
        table = RichTable(box=hairline, pad_edge=False, show_edge=False, header_style="dim", border_style="dim")
        widths = self._widths(options.max_width)
        for name, width in zip(self._columns, widths, strict=False):
            justify = "right" if name in self._numbers else "left"
            table.add_column(Text(name, "dim"), justify=justify, no_wrap=True, width=width)
        for row in self._rows:
            table.add_row(*row[: len(widths)])
        yield table

    def _widths(self, available: int) -> list[int]:
        """The widths of those columns that fit into this width."""
        widths = [
            max(len(name), *(_width(row[place]) for row in self._rows)) for place, name in enumerate(self._columns)
        ]
        least = [
            min(width, max(len(name), _ELASTIC_WIDTH)) if name in self._elastic else width
            for name, width in zip(self._columns, widths, strict=True)
        ]
        while len(least) > 1 and sum(least) + _GAP * (len(least) - 1) > available:
            least.pop()
        return _shrunk(widths[: len(least)], least, available - _GAP * (len(least) - 1))


def _shrunk(widths: list[int], least: list[int], available: int) -> list[int]:
    """The widths, with the widest that may shrink made narrower until all fit."""
    while sum(widths) > available and widths != least:
        widest = max((width, place) for place, width in enumerate(widths) if width > least[place])
        widths[widest[1]] -= 1
    return widths


def _width(cell: Text) -> int:
    return max((line.cell_len for line in cell.split()), default=0)


def _cell(cell: Cell) -> Text:
    return Text(format_number(cell) if isinstance(cell, int) else cell) if isinstance(cell, (int, str)) else cell


class KeyValueTable:
    """Names and values, one pair a line; a value ends its line, so that it can be copied."""

    def __init__(self, facts: Mapping[str, Cell | None]) -> None:
        """Values that are None are left out."""
        self._facts = {name: fact for name, fact in facts.items() if fact is not None}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(map(len, self._facts), default=0)
        for name, fact in self._facts.items():
            yield Text.assemble((f"  {name:<{width}}   ", "dim"), _cell(fact), overflow="fold")


def message(sentence: str, *parts: RenderableType, hint: str = "") -> RenderableType:
    """A sentence, its parts and a hint, with blank lines between them."""
    below = [*parts, Text(hint, "dim")] if hint else parts
    return Group(Text(sentence), *(each for part in below for each in ("", part)))


def ago(at: int | None, *, never: str = "never") -> str:
    """A relative time: `3 min ago`, `in 23 h`, `Nov 4, 2026`; `at` is real time, not of a test clock."""
    if at is None:
        return never
    distance = at - clock.now()
    if abs(distance) >= 7 * clock.DAY:
        return format_day(at)
    if abs(distance) < clock.MINUTE:
        return "in a moment" if distance > 0 else "just now"
    amount = _amount(abs(distance))
    return f"in {amount}" if distance > 0 else f"{amount} ago"


def _amount(microseconds: int) -> str:
    if microseconds < clock.HOUR:
        return f"{round(microseconds / clock.MINUTE)} min"
    if microseconds < 2 * clock.DAY:
        return f"{round(microseconds / clock.HOUR)} h"
    return f"{round(microseconds / clock.DAY)} days"
