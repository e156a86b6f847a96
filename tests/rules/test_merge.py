"""The merge rule as properties: what people and platforms say now, and nothing else, decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from webapp.model import METRICS, NOTHING, Counts, Metric, Policy
from webapp.rules.merge import Winner, keep_unread, merge, pin_in_force, policy_of, verdict

BIGGEST = 2**63 - 1
values = st.none() | st.integers(0, 5) | st.integers(0, BIGGEST)
counts = st.builds(Counts, *[values] * len(METRICS))
policies = st.sampled_from(["max", "sheet", "parsed"])


@given(counts, counts)
def test_the_result_is_below_neither_side(sheet: Counts, parsed: Counts) -> None:
    for value, one, other in zip(merge(sheet, parsed), sheet, parsed, strict=True):
        observed = [side for side in (one, other) if side is not None]
        assert value == max(observed, default=None)


@given(counts, counts, policies)
def test_every_value_comes_from_a_side_that_observed_it(sheet: Counts, parsed: Counts, policy: Policy) -> None:
    merged = merge(sheet, parsed, policy)

    for i in range(len(METRICS)):
        assert merged[i] in (sheet[i], parsed[i])
        assert (merged[i] is None) == (sheet[i] is None and parsed[i] is None)


@given(counts, policies)
def test_a_side_that_observed_nothing_never_wins(side: Counts, policy: Policy) -> None:
    assert merge(side, NOTHING, policy) == side == merge(NOTHING, side, policy)


@given(counts, counts)
def test_the_policy_sheet_takes_what_people_typed_and_fills_the_gaps(sheet: Counts, parsed: Counts) -> None:
    merged = merge(sheet, parsed, "sheet")

    assert merged == tuple(b if a is None else a for a, b in zip(sheet, parsed, strict=True))


@given(counts, counts)
def test_the_policy_parsed_takes_what_platforms_said_and_fills_the_gaps(sheet: Counts, parsed: Counts) -> None:
    assert merge(sheet, parsed, "parsed") == merge(parsed, sheet, "sheet")


@given(counts, counts)
def test_a_typo_heals_once_its_cell_is_corrected(sheet: Counts, parsed: Counts) -> None:
    with_typo = merge(sheet._replace(followers=BIGGEST), parsed)

    assert with_typo.followers == BIGGEST
    assert merge(sheet, parsed) == merge(sheet, parsed)
    assert merge(sheet, parsed).followers in (sheet.followers, parsed.followers)


@given(counts, counts, policies)
def test_the_named_winner_is_the_side_whose_value_it_is(sheet: Counts, parsed: Counts, policy: Policy) -> None:
    merged = merge(sheet, parsed, policy)
    sides: dict[Winner | None, Counts] = {"sheet": sheet, "parsed": parsed, None: NOTHING}

    assert all(merged[i] == sides[verdict(sheet[i], parsed[i], policy).winner][i] for i in range(len(METRICS)))


@given(counts)
def test_ties_go_to_the_sheet(same: Counts) -> None:
    assert all(verdict(same[i], same[i]).winner == "sheet" for i in known(same))


def test_a_real_zero_is_an_observation_and_missing_is_none() -> None:
    assert merge(Counts(followers=0), Counts(likes=7)) == Counts(followers=0, likes=7)


@given(counts, counts, policies, st.integers(0, BIGGEST))
def test_a_pin_beats_every_policy(sheet: Counts, parsed: Counts, policy: Policy, value: int) -> None:
    pins: dict[Metric, int] = {"views": value}

    assert merge(sheet, parsed, policy, pins) == merge(sheet, parsed, policy)._replace(views=value)
    assert verdict(sheet.views, parsed.views, policy, value) == ("pin", value)


def test_a_pin_counts_until_its_moment_has_come() -> None:
    now = datetime(2026, 3, 2, 10, tzinfo=UTC)
    moment = timedelta(microseconds=1)

    assert pin_in_force(None, now)
    assert pin_in_force(now + moment, now)
    assert not pin_in_force(now, now)
    assert not pin_in_force(now - moment, now)


def test_an_account_counted_by_hand_follows_its_sheet() -> None:
    assert [policy_of(p, m) for p, m in product(("max", "parsed"), ("auto", "manual", "off"))] == [  # type: ignore[arg-type]
        "max", "sheet", "max", "parsed", "sheet", "parsed",
    ]  # fmt: skip


@given(counts, counts, st.integers(0, 31))
def test_only_unreadable_cells_keep_their_last_good_value(new: Counts, old: Counts, unread: int) -> None:
    kept = keep_unread(new, old, unread)

    assert all(kept[i] == (old if unread & 1 << i else new)[i] for i in range(len(METRICS)))


def known(side: Counts) -> list[int]:
    return [i for i, value in enumerate(side) if value is not None]
