"""The planner as properties: plans applied to accounts in memory, without a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from webapp.model import METRICS, NOTHING, Counts, Policy, Profile
from webapp.rules.merge import keep_unread, merge, policy_of
from webapp.rules.modes import mode_of
from webapp.sources.sheet.reading import SheetRow, TabReading
from webapp.store.doubts import DoubtedDay
from webapp.store.held import Held
from webapp.store.observations import Stored
from webapp.sync.plan import Inputs, Plan
from webapp.sync.planner import make_plan

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
OLD = NOW - timedelta(days=30)

values = st.none() | st.integers(0, 3) | st.sampled_from([900, 1_000, 1_050, 10_000_000])
counts = st.builds(Counts, *[values] * len(METRICS))
policies = st.sampled_from(["max", "sheet", "parsed"])
names = st.sampled_from("abcdef")


class World(NamedTuple):
    """What is stored: accounts by url_key, readings kept aside, and the days of what is in doubt."""

    accounts: Mapping[str, Stored]
    held: Mapping[tuple[int, int], Held]
    doubts: Mapping[tuple[int, int], Sequence[DoubtedDay]] = {}


def account(name: str, number: int, **more: Any) -> Stored:
    plain = Stored(
        number, name, "x", name, f"x.com/{name}", None, None, None, "auto", 0, "sheet", NOW, None,
        None, None, None, 0, 0, None, None, 0, NOTHING, NOTHING, NOTHING, NOTHING,
    )  # fmt: skip
    return plain._replace(**more)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Accounts in every state that earlier syncs may have left them in, with merges that may be stale or wrong."""
    found = {}
    for number, name in enumerate(draw(st.lists(names, unique=True))):
        sheet, parsed = draw(counts), draw(counts)
        status = draw(st.sampled_from([None, "OLD", "BAN"]))
        found[name] = account(
            name,
            number,
            status=status,
            mode=draw(st.sampled_from(["auto", "manual", "off"])),
            mode_set=draw(st.booleans()),
            discovered=draw(st.sampled_from(["sheet", "api"])),
            removed_by=draw(st.sampled_from([None, None, None, "sheet", "api"])),
            added_at=draw(st.sampled_from([NOW, OLD])),
            known=draw(counts),
            sheet=sheet,
            sheet_at=None if sheet == NOTHING else OLD,
            sheet_origin=f"Tab!{number + 2}",
            parsed=parsed,
            parsed_at=None if parsed == NOTHING else OLD,
            accepted=draw(counts),
        )
    return World(found, {})


@st.composite
def rows(draw: st.DrawFn) -> Sequence[SheetRow]:
    found = []
    for number, name in enumerate(draw(st.lists(names, unique=True))):
        said, unread = draw(counts), draw(st.integers(0, 31))
        read = Counts._make(None if unread >> i & 1 else value for i, value in enumerate(said))
        status = draw(st.sampled_from([None, "OLD", "BAN"]))
        found.append(SheetRow(number + 2, profile(name), read, unread, f"x.com/{name}", None, None, status))
    return found


def profile(name: str) -> Profile:
    return Profile("x", name, name, f"https://x.com/{name}")


def reading(tab: Sequence[SheetRow]) -> TabReading:
    return TabReading("Tab", {row.profile.url_key: row for row in tab}, {})


def planned(world: World, tab: Sequence[SheetRow] | None, policy: Policy = "max", now: datetime = NOW) -> Plan:
    read = None if tab is None else reading(tab)
    old = {one.id for one in world.accounts.values() if one.added_at == OLD}
    facts: dict[str, Any] = {
        "held": world.held,
        "doubts": world.doubts,
        "day": now.date(),
        "has_history": lambda i, _: i in old,
    }
    return make_plan(world.accounts.values(), Inputs(now, policy, read, **facts))


def applied(world: World, plan: Plan, now: datetime = NOW) -> World:
    """The world after the plan is written, as the database would have it."""
    by_id = {one.id: one for one in world.accounts.values()}
    for number, changes in changed(plan, now):
        by_id[number] = by_id[number]._replace(**changes)
    for number, new in enumerate(plan.newcomers, 1_000 + len(by_id)):
        at = None if new.row.counts == NOTHING else now
        fresh = account(new.row.profile.url_key, number, status=new.row.status, mode=new.mode, known=new.row.counts)
        unread = 0 if at is None else new.row.unread
        by_id[number] = fresh._replace(sheet=new.row.counts, sheet_at=at, sheet_origin=new.origin, unread=unread)
    held = dict(world.held)
    for number, one in enumerate(plan.held, len(held)):
        held[one.account_id, METRICS.index(one.metric)] = Held(
            id=number,
            account_id=one.account_id,
            metric=one.metric,
            last_good=one.last_good,
            origin=one.origin,
            decided_at=None,
            **one.holding._asdict(),
        )
    return World({one.url_key: one for one in by_id.values()}, held, doubted(world, plan, now))


def doubted(world: World, plan: Plan, now: datetime) -> Mapping[tuple[int, int], Sequence[DoubtedDay]]:
    found = {pair: list(days) for pair, days in world.doubts.items() if pair not in plan.undoubted}
    for pair in plan.timed:
        found[pair] = [day._replace(state="timed", decided_at=now) for day in found[pair]]
    for one in plan.doubted:
        days = [day for day in found.get((one.account_id, one.place), ()) if day.day != one.day]
        found[one.account_id, one.place] = sorted([*days, one], key=lambda day: day.day)
    return found


def changed(plan: Plan, now: datetime) -> Iterator[tuple[int, dict[str, Any]]]:
    """(account id, fields), in the order in which the rows are written."""
    for number, said, since, origin, note, unread, bits in plan.sheet:
        where = {"sheet_origin": origin, "sheet_note": note, "unread": unread, "doubted": bits}
        yield number, {"sheet": said, "sheet_at": since or now, **where}
    nowhere = {"sheet_origin": None, "sheet_note": None, "unread": 0, "doubted": 0}
    silent = {"sheet": NOTHING, "sheet_at": None, **nowhere}
    yield from ((number, silent) for number in plan.silent)
    for number, row, mode in plan.described:
        yield number, {"status": row.status, "mode": mode, "username": row.profile.username}
    yield from ((number, {"removed_by": "sheet"}) for number in plan.removed)
    yield from ((number, {"removed_by": None}) for number in plan.returned)
    yield from ((number, {"accepted": said, "held": held}) for number, said, held in plan.accepted)
    yield from ((number, {"accepted": NOTHING, "held": 0}) for number in plan.forgotten)
    yield from ((one.account_id, {"known": one.new}) for one in plan.counts)


def shown(world: World) -> dict[str, Counts]:
    """What readers see."""
    return {name: Counts._make(one.known) for name, one in world.accounts.items() if one.removed_by is None}


def writes(plan: Plan) -> list[object]:
    return [
        plan.newcomers, plan.described, plan.sheet, plan.silent, plan.accepted, plan.forgotten, plan.counts, plan.removed,
        plan.returned, plan.held, plan.doubted, plan.undoubted, plan.timed, plan.withdrawn, plan.replaced,
    ]  # fmt: skip


@given(worlds(), rows(), policies)
def test_a_plan_applied_twice_changes_nothing_the_second_time(
    world: World, tab: Sequence[SheetRow], policy: Policy
) -> None:
    after = applied(world, planned(world, tab, policy))

    assert not any(writes(planned(after, tab, policy)))


@given(worlds(), rows(), policies)
def test_an_unchanged_tab_means_the_same_whether_it_is_read_again_or_not(
    world: World, tab: Sequence[SheetRow], policy: Policy
) -> None:
    after = applied(world, planned(world, tab, policy))

    assert not any(writes(planned(after, None, policy)))


@given(worlds(), rows(), counts)
def test_nothing_depends_on_earlier_merges(world: World, tab: Sequence[SheetRow], wrong: Counts) -> None:
    spoilt = World({name: one._replace(known=wrong) for name, one in world.accounts.items()}, {})

    assert (
        shown(applied(spoilt, planned(spoilt, tab))).items()
        >= {
            name: counts
            for name, counts in shown(applied(world, planned(world, tab))).items()
            if world.accounts.get(name, account(name, 0)).removed_by is None
        }.items()
    )


@given(worlds(), rows(), st.randoms())
def test_the_order_of_rows_and_accounts_does_not_matter(world: World, tab: Sequence[SheetRow], random: object) -> None:
    turned = World(dict(reversed(list(world.accounts.items()))), {})

    one, other = planned(world, tab), planned(turned, tab[::-1])

    assert shown(applied(world, one)) == shown(applied(turned, other))
    assert (one.total, one.skips, len(one.counts)) == (other.total, other.skips, len(other.counts))


@given(worlds(), rows(), policies)
def test_every_account_ends_at_the_merge_of_its_two_sides(
    world: World, tab: Sequence[SheetRow], policy: Policy
) -> None:
    young = World({name: one._replace(added_at=NOW) for name, one in world.accounts.items()}, {})
    after = applied(young, planned(young, tab, policy))

    for row in tab:
        before, now = young.accounts.get(row.profile.url_key), after.accounts[row.profile.url_key]
        if now.removed_by is None:
            sheet = keep_unread(row.counts, before.sheet if before else NOTHING, row.unread)
            parsed = keep_known(before)
            mode = now.mode if now.mode_set else mode_of(row.status)
            assert now.known == merge(sheet, parsed, policy_of(policy, mode))


def keep_known(before: Stored | None) -> Counts:
    """A metric that a reading does not name keeps what was last believed of it."""
    if before is None or before.parsed_at is None:
        return NOTHING
    return Counts._make(b if a is None else a for a, b in zip(before.parsed, before.accepted, strict=True))


@given(worlds(), rows(), names, st.integers(0, 2_000))
def test_a_typo_leaves_nothing_behind_once_it_is_corrected(
    world: World, tab: Sequence[SheetRow], name: str, right: int
) -> None:
    def with_followers(value: int) -> list[SheetRow]:
        others = [row for row in tab if row.profile.url_key != name]
        return [*others, SheetRow(99, profile(name), Counts(value), 0, f"x.com/{name}", None, None, None)]

    straight = applied(world, planned(world, with_followers(right)))
    typo = applied(world, planned(world, with_followers(10_000_000)))
    healed = applied(typo, planned(typo, with_followers(right)))

    assert shown(healed) == shown(straight)


@given(worlds(), rows())
def test_an_account_removed_over_the_api_is_left_alone(world: World, tab: Sequence[SheetRow]) -> None:
    gone = World({name: one._replace(removed_by="api") for name, one in world.accounts.items()}, {})
    plan = planned(gone, tab)

    there = {row.profile.url_key for row in tab} & set(world.accounts)
    assert not any([plan.counts, plan.described, plan.sheet, plan.returned, plan.removed, plan.held])
    assert plan.skips.get("removed", 0) == len(there)
    assert plan.total == len(tab) - len(there)


@given(worlds(), rows())
def test_without_a_reading_of_the_tab_its_side_stands(world: World, tab: Sequence[SheetRow]) -> None:
    plan = planned(world, None)

    assert not any([plan.sheet, plan.silent, plan.newcomers, plan.removed, plan.returned, plan.described])
    assert plan.lost_rows == 0


@given(worlds(), rows())
def test_a_held_reading_leaves_the_last_good_one_in_force(world: World, tab: Sequence[SheetRow]) -> None:
    old = World({name: one._replace(added_at=OLD) for name, one in world.accounts.items()}, {})
    plan = planned(old, tab)
    after = applied(old, plan)

    for one in plan.held:
        name = next(name for name, stored in after.accounts.items() if stored.id == one.account_id)
        assert (
            after.accounts[name].accepted[METRICS.index(one.metric)]
            == old.accounts[name].accepted[METRICS.index(one.metric)]
        )


def test_a_time_that_is_none_counts_as_unknown() -> None:
    parsed = Counts(followers=900_000)
    odd = account("a", 1, added_at="long ago", parsed=parsed, parsed_at="yesterday", accepted=Counts(followers=1))
    plan = planned(World({"a": odd}, {}), None)

    # Without a known age there is no history to judge the reading by.
    assert [(one.account_id, one.new) for one in plan.counts] == [(1, parsed)]
