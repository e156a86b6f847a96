"""What readers of platforms have in common: whose fault it is, who is gone, what is asked side by side, what stands where."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

from webapp.errors import SourceError, TransientSourceError
from webapp.model import Counts
from webapp.sources.http.exchange import too_many
from webapp.sources.platforms import ProfileReading, ReadBudget, Wanted
from webapp.sources.platforms.asking import at, beside, count_at, each, id_at, in_parts, items_of, text_at
from webapp.sources.platforms.doubt import doubt_gone

if TYPE_CHECKING:
    from tests.sources.conftest import FakeTime

KEYS = "abcdefghijklmn"


class TestEach:
    """One call for each account: whose fault is it?"""

    NAMES = ("ada", "bob", "eve", "mel", "kim")

    def read(
        self, fake_time: FakeTime, raises: bool = True, **errors: SourceError
    ) -> tuple[dict[str, str | None], str]:
        """{name: why it was not read}, and what was raised. errors: of those that cannot be read."""
        found: dict[str, str | None] = {}

        def look_up(account: Wanted) -> ProfileReading:
            if account.key in errors:
                raise errors[account.key]
            return ProfileReading(account.key, Counts(followers=1))

        wanted = [Wanted(name, name) for name in self.NAMES]
        try:
            for part in each(wanted, look_up, "It", ReadBudget(60, fake_time.clock), raises=raises):
                found |= {one.key: one.unread.code if one.unread else None for one in part}
        except SourceError as error:
            return found, error.code
        return found, ""

    def test_what_befalls_two_is_their_own(self, fake_time: FakeTime) -> None:
        down, odd = TransientSourceError("down", code="upstream_error"), SourceError("odd", code="status_400")

        assert self.read(fake_time, ada=down, bob=odd, mel=down) == (
            {"ada": "upstream_error", "bob": "status_400", "eve": None, "mel": "upstream_error", "kim": None},
            "",
        )

    def test_three_in_a_row_are_the_platforms_fault(self, fake_time: FakeTime) -> None:
        down = TransientSourceError("down", code="upstream_error")

        found, raised = self.read(fake_time, bob=down, eve=down, mel=down)

        assert found == {"ada": None, "bob": "upstream_error", "eve": "upstream_error", "mel": "upstream_error"}
        assert raised == "upstream_error"

    def test_it_may_be_said_of_all_that_are_left(self, fake_time: FakeTime) -> None:
        down = TransientSourceError("down", code="upstream_error")

        found, raised = self.read(fake_time, raises=False, ada=down, bob=down, eve=down)

        assert list(found) == ["mel", "kim", "ada", "bob", "eve"]  # who was asked comes last, as it will the next time
        assert (set(found.values()), raised) == ({"upstream_error"}, "")

    def test_too_many_requests_are_nobodys_fault(self, fake_time: FakeTime) -> None:
        found, raised = self.read(fake_time, bob=too_many("It"))

        assert (found, raised) == ({"ada": None}, "rate_limited")

    def test_a_key_that_is_refused_at_once_is_the_platforms_and_later_the_accounts(self, fake_time: FakeTime) -> None:
        refused = SourceError("no", code="key_refused")

        assert self.read(fake_time, ada=refused) == ({"ada": "key_refused"}, "key_refused")
        found, raised = self.read(fake_time, bob=refused)
        assert (found["bob"], found["kim"], raised) == ("key_refused", None, "")

    def test_where_nobody_can_be_read_all_are_asked_for_again_soon(self, fake_time: FakeTime) -> None:
        odd = SourceError("odd", code="status_400", hint="a hint")
        wanted = [Wanted(name, name) for name in self.NAMES[:2]]

        def fail(_: Wanted) -> ProfileReading:
            raise odd

        (part,) = each(wanted, fail, "It", ReadBudget(60, fake_time.clock))

        assert {type(one.unread) for one in part} == {TransientSourceError}

    @pytest.mark.parametrize("first", [True, False])
    def test_whose_call_our_time_ends_is_to_blame_only_if_nobody_was_asked_before(
        self, fake_time: FakeTime, first: bool
    ) -> None:
        """Or one that hangs would be the first again in the next run, and keep all others from being read."""
        found: dict[str, str | None] = {}

        def hang(account: Wanted) -> ProfileReading:
            if account.key == "ada" and not first:
                return ProfileReading("ada", Counts(followers=1))
            fake_time.clock.sleep(90)
            raise TransientSourceError("late", code="timeout")

        wanted = [Wanted(name, name) for name in self.NAMES]
        with pytest.raises(SourceError, match="late"):
            for part in each(wanted, hang, "It", ReadBudget(60, fake_time.clock)):
                found |= {one.key: one.unread.code if one.unread else None for one in part}

        assert found == ({"ada": "timeout"} if first else {"ada": None})


class TestInParts:
    """Many in a call: which of them is it about?"""

    def read(
        self,
        fake_time: FakeTime,
        number: int,
        most: int,
        fails: Callable[[Sequence[str], int], SourceError | None],
        *,
        by_name: bool = True,
    ) -> tuple[dict[str, str | None], str, int]:
        """{key: why it was not read}, what was raised, and the calls. fails: what the call so many about these raises."""
        found: dict[str, str | None] = {}
        calls = 0

        def ask(part: Sequence[Wanted]) -> Sequence[ProfileReading]:
            nonlocal calls
            calls += 1
            if error := fails([one.key for one in part], calls):
                raise error
            return [ProfileReading(one.key, Counts(followers=1)) for one in part]

        wanted = [Wanted(f"{place:03}", None) for place in range(number)]
        try:
            for part in in_parts(wanted, most, ask, "It", ReadBudget(60, fake_time.clock), by_name=by_name):
                found |= {one.key: one.unread.code if one.unread else None for one in part}
        except SourceError as error:
            return found, error.code, calls
        return found, "", calls

    def test_one_that_takes_no_long_address_is_asked_for_fewer(self, fake_time: FakeTime) -> None:
        def refuse(keys: Sequence[str], _: int) -> SourceError | None:
            return SourceError("too long", code="status_414") if len(keys) > 30 else None

        found, raised, calls = self.read(fake_time, 100, 100, refuse)

        assert (len(found), set(found.values()), raised, calls) == (100, {None}, "", 7)

    @pytest.mark.parametrize("bad", ["000", "036", "099"])
    def test_a_name_that_is_refused_takes_nothing_from_the_others(self, fake_time: FakeTime, bad: str) -> None:
        def refuse(keys: Sequence[str], _: int) -> SourceError | None:
            return SourceError("400", code="status_400") if bad in keys else None

        found, raised, calls = self.read(fake_time, 100, 100, refuse)

        assert ([key for key, why in found.items() if why], found[bad], raised) == ([bad], "refused", "")
        assert (len(found), calls < 20) == (100, True)

    def test_one_that_it_fails_about_is_found_where_it_answers_about_others(self, fake_time: FakeTime) -> None:
        def fail(keys: Sequence[str], _: int) -> SourceError | None:
            return TransientSourceError("500", code="upstream_error") if "060" in keys else None

        found, raised, _ = self.read(fake_time, 100, 50, fail)

        assert ([key for key, why in found.items() if why], found["060"], raised) == (["060"], "upstream_error", "")

    def test_one_that_was_found_rests_for_long(self, fake_time: FakeTime) -> None:
        def ask(part: Sequence[Wanted]) -> Sequence[ProfileReading]:
            if any(one.key == "d" for one in part):
                raise TransientSourceError("500", code="upstream_error")
            return [ProfileReading(one.key, Counts(followers=1)) for one in part]

        wanted = [Wanted(key, key) for key in "abcdef"]
        found = [one for part in in_parts(wanted, 2, ask, "It", ReadBudget(60, fake_time.clock)) for one in part]

        assert [type(one.unread) for one in found if one.unread] == [SourceError]

    @pytest.mark.parametrize(
        ("code", "told"),
        [("upstream_error", ["upstream_error"] * 5), ("rate_limited", []), ("key_refused", [])],
    )
    def test_where_it_answers_about_nobody_it_is_the_platforms(
        self, fake_time: FakeTime, code: str, told: list[str]
    ) -> None:
        found, raised, calls = self.read(fake_time, 12, 5, lambda *_: SourceError("no", code=code))

        assert (list(found.values()), raised, calls) == (told, code, 1)

    def test_one_that_refuses_everybody_is_not_asked_to_the_last(self, fake_time: FakeTime) -> None:
        _, raised, calls = self.read(fake_time, 1_000, 100, lambda *_: SourceError("400", code="status_400"))

        assert (raised, calls) == ("status_400", 9)

    @pytest.mark.parametrize(("first", "raised"), [(1, "status_400"), (2, "")])
    def test_a_platform_that_is_asked_by_ids_refuses_none(self, fake_time: FakeTime, first: int, raised: str) -> None:
        def refuse(keys: Sequence[str], call: int) -> SourceError | None:
            return SourceError("400", code="status_400") if call >= first and "003" in keys else None

        assert self.read(fake_time, 4, 2 if first > 1 else 4, refuse, by_name=False)[1] == raised

    def test_nobody_is_asked_about_nobody(self, fake_time: FakeTime) -> None:
        assert self.read(fake_time, 0, 5, lambda *_: None) == ({}, "", 0)


class TestGone:
    """That nobody is gone because of an answer about nobody."""

    @staticmethod
    def gone(*keys: str) -> list[ProfileReading]:
        return [ProfileReading(key, unread=SourceError("is gone", code="gone")) for key in keys]

    @staticmethod
    def doubt(
        found: Callable[[], Iterator[list[ProfileReading]]], before: str = ""
    ) -> tuple[list[str], dict[str, SourceError | None]]:
        """The keys in the order that they were told in, and why each was not read. before: who was gone then."""
        told: dict[str, SourceError | None] = {}
        wanted = [Wanted(key, key, code="gone" if key in before else None) for key in KEYS]
        try:
            for part in doubt_gone(wanted, found(), "It"):
                told |= {one.key: one.unread for one in part}
        except SourceError as error:
            told["raised"] = error
        return list(told), told

    def test_those_of_an_answer_about_nobody_wait_for_another_about_somebody(self) -> None:
        def read() -> Iterator[list[ProfileReading]]:
            yield self.gone(*KEYS[:12])
            yield [ProfileReading("m", Counts(followers=1)), *self.gone("n")]

        order, told = self.doubt(read)

        assert order == [*KEYS[:12], "m", "n"]
        assert {why.code for why in told.values() if why} == {"gone"}

    def test_those_who_were_gone_before_are_no_news(self) -> None:
        order, told = self.doubt(lambda: iter([self.gone(*KEYS[:12])]), before=KEYS[:12])

        assert order == list(KEYS[:12])
        assert not [why for why in told.values() if isinstance(why, TransientSourceError)]

    def test_where_nobody_is_known_many_are_asked_for_again_soon(self) -> None:
        order, told = self.doubt(lambda: iter([self.gone(*KEYS[:6]), self.gone(*KEYS[6:12])]))

        assert order == [*KEYS[:12], "raised"]
        assert {type(why) for why in told.values()} == {TransientSourceError}

    def test_an_error_on_the_way_leaves_the_others_for_another_time(self) -> None:
        def fail() -> Iterator[list[ProfileReading]]:
            yield self.gone("a")
            raise TransientSourceError("down", code="network")

        order, told = self.doubt(fail)

        assert order == ["a", "raised"]
        assert isinstance(told["a"], TransientSourceError)

    def test_an_error_with_nobody_waiting_is_all_there_is(self) -> None:
        def fail() -> Iterator[list[ProfileReading]]:
            yield [ProfileReading("a", Counts(followers=1))]
            raise TransientSourceError("down", code="network")

        assert self.doubt(fail)[0] == ["a", "raised"]


class TestBeside:
    def test_what_the_others_were_asking_for_when_one_fails_is_told(self) -> None:
        asked = threading.Event()

        def ask() -> Iterator[int]:
            asked.set()
            time.sleep(0.2)
            yield 7

        def fail() -> Iterator[int]:
            assert asked.wait(10)
            yield 1 // 0

        found: list[int] = []
        with pytest.raises(ZeroDivisionError):
            found.extend(beside([ask, fail, ask], 2))
        # extend keeps what came before the error
        assert found == [7]

    def test_an_error_of_one_job_ends_them_all(self) -> None:
        def count() -> Iterator[int]:
            yield from range(10_000)

        def fail() -> Iterator[int]:
            yield 0
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            list(beside([count, fail, count, fail], 2))

    def test_whoever_wants_no_more_leaves_nobody_behind(self) -> None:
        def count() -> Iterator[int]:
            yield from range(10_000)

        found = beside([count, count], 2)
        assert next(found) == 0
        found.close()  # type: ignore[attr-defined]

        assert not [thread for thread in threading.enumerate() if "work" in thread.name]

    def test_who_is_at_work_when_nobody_listens_any_more_ends(self) -> None:
        released = threading.Event()

        def job() -> Iterator[int]:
            yield 0
            assert released.wait(10)
            yield 1
            raise AssertionError("nobody wants any more")

        found = beside([job], 1)
        assert next(found) == 0
        threading.Timer(0.2, released.set).start()
        found.close()  # type: ignore[attr-defined]

        assert released.wait(10)
        while any("work" in thread.name for thread in threading.enumerate()):
            time.sleep(0.01)

    def test_without_jobs_there_is_nothing(self) -> None:
        assert list(beside([], 3)) == []


class TestPaths:
    def test_a_path_that_leads_nowhere_gives_nothing(self) -> None:
        assert at({"a": [{"b": 1}]}, "a", 0, "b") == 1
        assert at({"a": [{"b": 1}]}, "a", 1, "b") is None
        assert at([1], "a") is None
        assert at({"a": 1}, 0) is None
        assert count_at({"a": "7"}, "a") == 7
        assert text_at({"a": " x "}, "a") == "x"
        assert [id_at({"a": id_}, "a") for id_ in (7, "7", " ", True, 7.0)] == ["7", "7", None, None, None]
        assert text_at({"a": 3}, "a") is None
        assert [text_at({"a": odd}, "a") for odd in ("\0", "a\0b", "\ud800", "a\nb", "x" * 2_001, " ")] == [None] * 6
        with pytest.raises(SourceError):
            items_of("It", None)
