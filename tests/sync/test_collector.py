"""The cycle collector rests while projects are worked on, and not a moment longer."""

from __future__ import annotations

import gc
from contextlib import ExitStack

from webapp.sync.collector import pause_collector


def test_the_collector_rests_until_the_last_of_those_inside_has_left() -> None:
    with ExitStack() as last:
        with pause_collector():
            last.enter_context(pause_collector())
        assert not gc.isenabled()

    assert gc.isenabled()
