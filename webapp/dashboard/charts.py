"""The geometry of charts, in units of their own: the template draws it, style sheets colour it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain, pairwise

from webapp.rules.words import day_words, on_axis

WIDTH, HEIGHT = 1000, 200
SPARK_WIDTH, SPARK_HEIGHT = 100, 28
LINES = 4  # of the grid, about
MUCH = 10  # one in so many accounts
TICKS = 5  # days that are named
WEEK = 7
YEAR = 366  # days beyond which a day's name is said of two of them
NICE = (1, 2, 2.5, 5, 10)
DIGITS = 6  # of a mark of the grid: more would be cut off on phones and on paper


@dataclass(frozen=True)
class ChartDay:
    """One day, or behind the last one the present. value None: nothing is known, or nothing counts.

    value = that of the day before + growth + joined + left. carried: part of it, or all, stands since an earlier day.
    accounts: that count; 0: it is about one alone. gap: nothing was observed on the day. now: the current counts, as of
    the last sync, whenever that was; its day is the one that it stands behind.
    """

    day: date
    value: int | None
    growth: int | None = None
    joined: int | None = None
    left: int | None = None
    carried: int = 0
    accounts: int = 0
    gap: bool = False
    now: bool = False

    @property
    def is_much_carried(self) -> bool:
        """Whether so much of it stands since an earlier day that it deserves a mark."""
        return self.carried > 0 and self.carried * MUCH >= self.accounts


def fill_gaps(found: Iterable[ChartDay], dates: Iterable[date]) -> list[ChartDay]:
    """A day for each of the dates: as it was found, or nothing."""
    known = {one.day: one for one in found}
    return [known.get(day) or ChartDay(day, None, gap=True) for day in dates]


def from_first_known(points: Sequence[ChartDay]) -> list[ChartDay]:
    """The points without the days before there was anything; all of them where there is nothing at all."""
    first = next((place for place, one in enumerate(points) if one.value is not None), 0)
    return [*points[first:]]


def by_week(points: Sequence[ChartDay]) -> list[ChartDay]:
    """Each week as its last day, with what came and went in all of it; the last of the days ends a week, the present is apart."""
    days, now = [one for one in points if not one.now], [one for one in points if one.now]
    ends = range(len(days), 0, -WEEK)
    weeks = [_as_one(days[max(0, end - WEEK) : end]) for end in reversed(ends)]
    return [*weeks, *now]


def _as_one(days: Sequence[ChartDay]) -> ChartDay:
    moved = {name: [getattr(one, name) for one in days] for name in ("growth", "joined", "left")}
    sums = {
        name: sum(part or 0 for part in parts) for name, parts in moved.items() if any(p is not None for p in parts)
    }
    nothing = dict.fromkeys(moved)
    return replace(days[-1], gap=all(one.gap for one in days), **(nothing | sums))


def mark_left(points: Sequence[ChartDay]) -> list[ChartDay]:
    """Of one account: the days on which it ceased to count say what it took."""
    before = [None, *(one.value for one in points)]
    return [
        replace(one, left=-was) if was is not None and one.value is None else one
        for was, one in zip(before, points, strict=False)
    ]


@dataclass(frozen=True)
class Added:
    """How a sum came from before the first day to the end of the last: start + growth + joined + left = end."""

    start: int
    growth: int
    joined: int
    left: int
    end: int


def add_up(points: Sequence[ChartDay]) -> Added:
    """The days together."""
    growth, joined, left = (sum(getattr(one, name) or 0 for one in points) for name in ("growth", "joined", "left"))
    end = (points[-1].value if points else None) or 0
    return Added(end - growth - joined - left, growth, joined, left, end)


@dataclass(frozen=True)
class AxisMark:
    """A place along an axis, with its words. at: percent of the width, or units of the height. anchor: as in SVG."""

    at: float
    words: str
    anchor: str = "middle"


@dataclass(frozen=True)
class LineDrawing:
    """path: through the known days; area: the same down to the bottom, where that is zero. ys: of every day, None in a gap.

    gaps: through what is carried over days that nothing is known of.
    """

    path: str
    area: str
    gaps: str
    grid: Sequence[AxisMark]
    days: Sequence[AxisMark]
    dots: Sequence[tuple[float, float]]
    ys: Sequence[float | None]


@dataclass(frozen=True)
class BarDrawing:
    """up, down: paths of the bars; zero: where the line between them is.

    spread: those of growth that came over several days, as much for each of them.
    """

    up: str
    down: str
    spread: str
    zero: float
    grid: Sequence[AxisMark]
    days: Sequence[AxisMark]


@dataclass(frozen=True)
class SparkDrawing:
    path: str
    last: tuple[float, float] | None


def draw_line(points: Sequence[ChartDay]) -> LineDrawing | None:
    """None when no day is known. Nothing but zeros lie at the bottom: there are no counts below it."""
    known = [point.value for point in points if point.value is not None and not point.gap]
    if not known:
        return None
    low, high, step = _scale(0 if 0 <= 2 * min(known) < max(known) else min(known), max(known) or 1)
    xs = _xs(len(points), WIDTH)
    ys = [None if p.value is None or p.gap else _y(p.value, low, high) for p in points]
    runs = _runs(xs, ys)
    dots = [
        (_part(i, len(points)), y)
        for i, (p, y) in enumerate(zip(points, ys, strict=True))
        if y is not None and p.is_much_carried
    ]
    alone = [(_part(i, len(points)), y) for i, y in enumerate(ys) if y is not None and _alone(ys, i)]
    marks = [AxisMark(_y(value, low, high), on_axis(value, step)) for value in range(low, high + 1, step)]
    gaps = _path(_gaps(xs, [None if p.value is None else _y(p.value, low, high) for p in points], ys))
    return LineDrawing(_path(runs), "" if low > 0 else _area(runs), gaps, marks, _days(points), [*dots, *alone], ys)


def draw_bars(points: Sequence[ChartDay]) -> BarDrawing | None:
    """Growth of each day; None when none is known."""
    spread = _spread(points)
    known = [growth for growth, _ in spread if growth is not None]
    if not known:
        return None
    low, high, rise = _scale(min(0, *known), max(0, *known))
    zero = _y(0, low, high)
    step = WIDTH / len(points)
    paths: dict[str, list[str]] = {"up": [], "down": [], "spread": []}
    for place, (growth, is_spread) in enumerate(spread):
        if growth:
            left, right = place * step + step * 0.15, place * step + step * 0.85
            kind = "spread" if is_spread else "up" if growth > 0 else "down"
            paths[kind].append(f"M{left:.1f} {zero:.1f}V{_y(growth, low, high):.1f}H{right:.1f}V{zero:.1f}z")
    marks = [AxisMark(_y(value, low, high), on_axis(value, rise, sign=True)) for value in range(low, high + 1, rise)]
    drawn = {kind: "".join(path) for kind, path in paths.items()}
    return BarDrawing(**drawn, zero=zero, grid=marks, days=_days(points, bars=True))


def _spread(points: Sequence[ChartDay]) -> list[tuple[float | None, bool]]:
    """The growth of each day, that after a gap as a part for each of its days, and whether it is one."""
    found: list[tuple[float | None, bool]] = []
    waiting = 0
    for point in points:
        if point.gap and not point.growth:
            waiting += 1
            found.append((point.growth, False))
        elif waiting and point.growth is not None:
            part = point.growth / (waiting + 1)
            found[-waiting:] = [(part, True)] * waiting
            found.append((part, True))
            waiting = 0
        else:
            found.append((point.growth, False))
            waiting = 0
    return found


def draw_spark(values: Sequence[int | None]) -> SparkDrawing | None:
    """A small line without axes; None for fewer than two known values."""
    known = [value for value in values if value is not None]
    if len(known) < 2:  # noqa: PLR2004  one value is no line
        return None
    low, high = min(known), max(known)
    xs = [float(round(x)) for x in _xs(len(values), SPARK_WIDTH)]
    ys = [None if v is None else _place(v, low, high, 2, SPARK_HEIGHT - 2) for v in values]
    last = max(i for i, y in enumerate(ys) if y is not None)
    end = ys[last]
    return SparkDrawing(_path(_runs(xs, ys)), None if end is None else (xs[last], end))


def _scale(low: float, high: float) -> tuple[int, int, int]:
    """Ends of the axis around the values, and the step from one of its marks to the next. A flat line lies in the middle.

    No mark needs more digits than there is room for, however little the values differ.
    """
    low, high = math.floor(low), math.ceil(high)
    if low == high:
        low, high = low - max(1, abs(low) // 100), high + max(1, abs(high) // 100)
    finest = 10 ** max(0, len(str(max(-low, high))) - DIGITS)
    step = _step((high - low) / LINES, finest)
    return low // step * step, -(-high // step) * step, step


def _step(rough: float, finest: int) -> int:
    """A round number that is at least as large, and some times the finest."""
    size = 10 ** math.floor(math.log10(max(rough, finest)))
    return next(int(size * nice) for nice in NICE if size * nice >= rough and size * nice % finest == 0)


def _y(value: float, low: int, high: int) -> float:
    return _place(value, low, high, 0, HEIGHT)


def _place(value: float, low: int, high: int, top: float, bottom: float) -> float:
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


def _gaps(
    xs: Sequence[float], carried: Sequence[float | None], known: Sequence[float | None]
) -> list[list[tuple[float, float]]]:
    """The stretches between known days, from the last one before to the first one behind."""
    runs: list[list[tuple[float, float]]] = []
    for place, (x, y) in enumerate(zip(xs, carried, strict=True)):
        if y is None or known[place] is not None:
            continue
        if not runs or runs[-1][-1] != (x, y):
            before = place - 1
            runs.append([(xs[before], carried[before] or 0.0)] if place and carried[before] is not None else [])
        runs[-1].append((x, y))
        if place + 1 < len(xs) and (following := carried[place + 1]) is not None:
            runs[-1].append((xs[place + 1], following))
    return [run for run in runs if len(run) > 1]


def _path(runs: Sequence[Sequence[tuple[float, float]]]) -> str:
    """From point to point by how far it is: half as long as by where they are."""
    return "".join(f"M{x:g} {y:g}" + _steps(run) for run in runs for x, y in run[:1])


def _steps(run: Sequence[tuple[float, float]]) -> str:
    steps = [(x - before[0], y - before[1]) for before, (x, y) in pairwise(run)]
    return "l" + "".join(map(_number, chain(*steps))).lstrip() if steps else ""


def _number(step: float) -> str:
    """With as little before it as tells it from the number before: ` 3`, `-.5`."""
    text = f"{abs(round(step, 1)):g}"
    return ("-" if step < 0 and text != "0" else " ") + (text[1:] if text.startswith("0.") else text)


def _area(runs: Sequence[Sequence[tuple[float, float]]]) -> str:
    return "".join(f"{_path([run])}V{HEIGHT}H{run[0][0]:g}z" for run in runs if len(run) > 1)


def _days(points: Sequence[ChartDay], *, bars: bool = False) -> list[AxisMark]:
    """A few days by name, the first and the last among them. bars: a day is a stretch and not a point."""
    count = len(points)
    places = sorted({round(i * (count - 1) / (TICKS - 1)) for i in range(TICKS)})
    ends = {0: "start", count - 1: "end"} if count > 1 and not bars else {}

    def at(place: int) -> float:
        return round(100 * (place + 0.5) / count, 2) if bars else _part(place, count)

    long = (points[-1].day - points[0].day).days > YEAR

    def words(day: date) -> str:
        return f"{day:%b %Y}" if long else day_words(day).rsplit(" ", 1)[0]

    return [AxisMark(at(place), words(points[place].day), ends.get(place, "middle")) for place in places]
