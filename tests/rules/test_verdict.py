from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webapp.model import Metric, Mode, Policy
from webapp.rules.merge import merge, policy_of, verdict

numbers = st.none() | st.integers(0, 5)
policies: st.SearchStrategy[Policy] = st.sampled_from(["max", "sheet", "parsed"])
modes: st.SearchStrategy[Mode] = st.sampled_from(["auto", "manual", "off"])


@given(numbers, numbers, policies, modes, numbers)
def test_what_is_explained_is_what_the_merge_does(
    sheet: int | None, parsed: int | None, policy: Policy, mode: Mode, pin: int | None
) -> None:
    sides = (sheet, None, None, None, None), (parsed, None, None, None, None)
    pins: dict[Metric, int] = {} if pin is None else {"followers": pin}
    in_force = policy_of(policy, mode)

    found = verdict(sheet, parsed, in_force, pin)

    assert found.value == merge(*sides, in_force, pins).followers
