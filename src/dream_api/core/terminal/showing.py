"""How facts look on a terminal: lists with hairlines, facts under one another, moments as people say them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from dream_api.core import clock

Cell = str | int | Text


class Listing:
    """Rows under their columns' names; columns of numbers are right-aligned, the first column is never cut."""

    def __init__(self, columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, empty: str) -> None:
        """`empty` says what belongs here and how it comes here."""
        self._columns = columns
        self._rows = [*rows]
        self._empty = empty

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self._rows:
            yield Text(self._empty)
            return
        hairline = box.SIMPLE_HEAD if console.is_terminal else None
        table = Table(box=hairline, pad_edge=False, header_style="dim", border_style="dim", show_edge=False)
        for place, name in enumerate(self._columns):
            cells = [row[place] for row in self._rows]
            is_number = any(isinstance(cell, int) for cell in cells)
            table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
        for row in self._rows:
            table.add_row(*(_cell(cell) for cell in row))
        yield table


def _cell(cell: Cell) -> str | Text:
    return f"{cell:,}" if isinstance(cell, int) else Text(cell) if isinstance(cell, str) else cell


class Facts:
    """Names and values under one another; values stand alone at the end of their line, ready to be copied."""

    def __init__(self, facts: Mapping[str, Cell | None]) -> None:
        """What is None is left out."""
        self._facts = {name: fact for name, fact in facts.items() if fact is not None}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(map(len, self._facts), default=0)
        for name, fact in self._facts.items():
            yield Text.assemble((f"  {name:<{width}}   ", "dim"), _cell(fact), overflow="fold")


def said(sentence: str, *parts: RenderableType, hint: str = "") -> RenderableType:
    """A sentence, what belongs to it, and what may be done next, a blank line between them."""
    below = [*parts, Text(hint, "dim")] if hint else parts
    return Group(Text(sentence), *(each for part in below for each in ("", part)))


def ago(at: int | None, *, never: str = "never") -> str:
    """A moment as people say it: `3 min ago`, `in 23 h`, `4 Nov 2026`."""
    if at is None:
        return never
    distance = at - clock.now()
    if abs(distance) >= 7 * clock.DAY:
        moment = datetime.fromtimestamp(at // clock.SECOND, UTC)
        return f"{moment.day} {moment:%b %Y}"
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
