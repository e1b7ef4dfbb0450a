"""Geometry of charts: plain numbers, which templates/charts.html draws as SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH = 680
HEIGHT = 280
# The margins of a chart: the numbers at the left, the days below.
_LEFT, _TOP, _BELOW = 48, 10, 24
# Of a bar's slot, the part it fills; and how wide it is at most.
_FILLED, _WIDEST = 0.68, 28
_GRID_LINES = 3
_LABELS = 4
_SPARK_WIDTH, _SPARK_HEIGHT = 84, 30
_METER_WIDTH = 120
_WARN_PERCENT, _BAD_PERCENT = 80, 95


@dataclass(frozen=True, slots=True)
class Bar:
    """One value: what it is of, and where it stands."""

    label: str
    value: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar for each value, lines with their numbers, and some of the labels below."""

    bars: Sequence[Bar]
    grid: Sequence[tuple[float, int]]
    labels: Sequence[tuple[float, str, str]]

    @property
    def total(self) -> int:
        return sum(bar.value for bar in self.bars)


def bars_of(points: Sequence[tuple[int, int]], label: Callable[[int], str]) -> Bars:
    """A bar for each (moment, value), oldest first; what is below nothing is drawn as nothing."""
    step = _step(max((value for _, value in points), default=0))
    top = step * _GRID_LINES
    slot = (WIDTH - _LEFT) / max(len(points), 1)
    width = min(slot * _FILLED, _WIDEST)
    ground = HEIGHT - _BELOW
    bars = [
        Bar(label(at), value, _at(_LEFT + slot * place + (slot - width) / 2), _at(ground - height), _at(width), height)
        for place, (at, value) in enumerate(points)
        for height in [_at((ground - _TOP) * max(value, 0) / top)]
    ]
    grid = [(_at(ground - (ground - _TOP) * line / _GRID_LINES), step * line) for line in range(_GRID_LINES + 1)]
    return Bars(bars, grid, _labels_of(bars))


def _labels_of(bars: Sequence[Bar]) -> list[tuple[float, str, str]]:
    """Of the first, the last and some between, each as (x, text, anchor), so that none is cut off at the ends."""
    last = len(bars) - 1
    places = sorted({round(last * part / (_LABELS - 1)) for part in range(_LABELS)}) if bars else []
    return [
        (bar.x + (bar.width if anchor == "end" else bar.width / 2 if anchor == "middle" else 0), bar.label, anchor)
        for place in places
        for bar in [bars[place]]
        for anchor in ["start" if place == 0 else "end" if place == last else "middle"]
    ]


def _step(most: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50 … of which so many lines hold the most."""
    size = 1
    while True:
        for digit in (1, 2, 5):
            if digit * size * _GRID_LINES >= most:
                return digit * size
        size *= 10


def spark_of(values: Sequence[int]) -> str:
    """The path of a line without axes, from edge to edge; empty where there are not two values."""
    if not values[1:]:
        return ""
    least, most = min(values), max(values)
    spread = (most - least) or 1
    across = (_SPARK_WIDTH - 4) / (len(values) - 1)
    down = _SPARK_HEIGHT - 4
    points = (f"{_at(2 + across * n)} {_at(2 + down - down * (v - least) / spread)}" for n, v in enumerate(values))
    return "M" + "L".join(points)


def progress(part: int, whole: int | None) -> float:
    """How long the filled part of a meter is; 0 where there is nothing to fill."""
    return _at(_METER_WIDTH * min(max(part / whole, 0), 1)) if whole else 0.0


def severity(part: int, whole: int | None) -> str:
    """In which tone a meter is: it warns from where customers are near their limit."""
    percent = part * 100 // whole if whole else 0
    return "bad" if percent >= _BAD_PERCENT else "warn" if percent >= _WARN_PERCENT else "brand"


def _at(number: float) -> float:
    """To a tenth, so that pages stay small."""
    return round(number, 1)
