"""The geometry of charts, in units of their own: the template draws it, style sheets colour it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from webapp.rules.words import compact, day_words

WIDTH, HEIGHT = 1000, 200
SPARK_WIDTH, SPARK_HEIGHT = 100, 28
LINES = 4  # of the grid, about
TICKS = 5  # days that are named
NICE = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class ChartDay:
    """One day, or behind the last one the present. value None: nothing is known, or nothing counts.

    value = that of the day before + growth + joined + left. carried: part of it, or all, stands since an earlier day.
    gap: nothing was observed on the day. now: the current counts, as of the last sync.
    """

    day: date
    value: int | None
    growth: int | None = None
    joined: int | None = None
    left: int | None = None
    carried: int = 0
    gap: bool = False
    now: bool = False


def fill_gaps(found: Iterable[ChartDay], dates: Iterable[date]) -> list[ChartDay]:
    """A day for each of the dates: as it was found, or nothing."""
    known = {one.day: one for one in found}
    return [known.get(day) or ChartDay(day, None, gap=True) for day in dates]


@dataclass(frozen=True)
class AxisMark:
    """A place along an axis, with its words. at: percent of the width, or units of the height. anchor: as in SVG."""

    at: float
    words: str
    anchor: str = "middle"


@dataclass(frozen=True)
class LineDrawing:
    """path: through the known days; area: the same down to the bottom. ys: of every day, None in a gap."""

    path: str
    area: str
    grid: Sequence[AxisMark]
    days: Sequence[AxisMark]
    dots: Sequence[tuple[float, float]]
    ys: Sequence[float | None]


@dataclass(frozen=True)
class BarDrawing:
    """up, down: paths of the bars; zero: where the line between them is."""

    up: str
    down: str
    zero: float
    grid: Sequence[AxisMark]
    days: Sequence[AxisMark]
    ys: Sequence[float | None]


@dataclass(frozen=True)
class SparkDrawing:
    path: str
    last: tuple[float, float] | None


def draw_line(points: Sequence[ChartDay]) -> LineDrawing | None:
    """None when no day is known."""
    known = [point.value for point in points if point.value is not None and not point.gap]
    if not known:
        return None
    low, high, grid = _scale(min(known), max(known))
    xs = _xs(len(points), WIDTH)
    ys = [None if p.value is None or p.gap else _y(p.value, low, high) for p in points]
    runs = _runs(xs, ys)
    dots = [
        (_part(i, len(points)), y)
        for i, (p, y) in enumerate(zip(points, ys, strict=True))
        if y is not None and p.carried
    ]
    alone = [(_part(i, len(points)), y) for i, y in enumerate(ys) if y is not None and _alone(ys, i)]
    marks = [AxisMark(_y(value, low, high), compact(value)) for value in grid]
    return LineDrawing(_path(runs), _area(runs), marks, _days(points), [*dots, *alone], ys)


def draw_bars(points: Sequence[ChartDay]) -> BarDrawing | None:
    """Growth of each day; None when none is known."""
    known = [point.growth for point in points if point.growth is not None]
    if not known:
        return None
    low, high, grid = _scale(min(0, *known), max(0, *known))
    zero = _y(0, low, high)
    step = WIDTH / len(points)
    paths: dict[bool, list[str]] = {True: [], False: []}
    ys: list[float | None] = []
    for place, point in enumerate(points):
        y = None if point.growth is None else _y(point.growth, low, high)
        ys.append(y)
        if y is not None and point.growth:
            left, right = place * step + step * 0.15, place * step + step * 0.85
            paths[point.growth > 0].append(f"M{left:.1f} {zero:.1f}V{y:.1f}H{right:.1f}V{zero:.1f}z")
    marks = [AxisMark(_y(value, low, high), compact(value, sign=True)) for value in grid]
    return BarDrawing("".join(paths[True]), "".join(paths[False]), zero, marks, _days(points), ys)


def draw_spark(values: Sequence[int | None]) -> SparkDrawing | None:
    """A small line without axes; None for fewer than two known values."""
    known = [value for value in values if value is not None]
    if len(known) < 2:  # noqa: PLR2004  one value is no line
        return None
    low, high = min(known), max(known)
    xs = _xs(len(values), SPARK_WIDTH)
    ys = [None if v is None else _place(v, low, high, 2, SPARK_HEIGHT - 2) for v in values]
    last = max(i for i, y in enumerate(ys) if y is not None)
    end = ys[last]
    return SparkDrawing(_path(_runs(xs, ys)), None if end is None else (xs[last], end))


def _scale(low: int, high: int) -> tuple[int, int, list[int]]:
    """Ends of the axis around the values, and the round numbers between them. A flat line lies in the middle."""
    if low == high:
        low, high = low - max(1, abs(low) // 100), high + max(1, abs(high) // 100)
    step = _step((high - low) / LINES)
    first, last = math.floor(low / step) * step, math.ceil(high / step) * step
    return first, last, list(range(first, last + 1, step))


def _step(rough: float) -> int:
    size: float = 10 ** math.floor(math.log10(max(rough, 1)))
    return max(1, math.ceil(next(size * nice for nice in NICE if size * nice >= rough)))


def _y(value: int, low: int, high: int) -> float:
    return _place(value, low, high, 0, HEIGHT)


def _place(value: int, low: int, high: int, top: float, bottom: float) -> float:
    if high == low:
        return (top + bottom) / 2
    return round(bottom - (bottom - top) * (value - low) / (high - low), 1)


def _xs(count: int, width: int) -> list[float]:
    return [round(width * i / (count - 1), 1) if count > 1 else width / 2 for i in range(count)]


def _part(place: int, count: int) -> float:
    """Percent of the width."""
    return round(100 * place / (count - 1), 2) if count > 1 else 50.0


def _alone(ys: Sequence[float | None], place: int) -> bool:
    """A known day between unknown ones is no line; it needs a dot to be seen."""
    around = [ys[i] for i in (place - 1, place + 1) if 0 <= i < len(ys)]
    return all(y is None for y in around)


def _runs(xs: Sequence[float], ys: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    """The stretches without a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if y is not None:
            runs[-1].append((x, y))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _path(runs: Sequence[Sequence[tuple[float, float]]]) -> str:
    return "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in run) for run in runs)


def _area(runs: Sequence[Sequence[tuple[float, float]]]) -> str:
    closed = (f"{_path([run])}L{run[-1][0]:g} {HEIGHT}L{run[0][0]:g} {HEIGHT}z" for run in runs if len(run) > 1)
    return "".join(closed)


def _days(points: Sequence[ChartDay]) -> list[AxisMark]:
    """A few days by name, the first and the last among them."""
    count = len(points)
    places = sorted({round(i * (count - 1) / (TICKS - 1)) for i in range(TICKS)})
    ends = {0: "start", count - 1: "end"} if count > 1 else {}
    return [
        AxisMark(_part(place, count), day_words(points[place].day).rsplit(" ", 1)[0], ends.get(place, "middle"))
        for place in places
    ]
