"""Messages to people, by whatever Apprise knows: mail, chat, text message.

Apprise is large, so it is loaded by the first message, or by who checks the addresses.
"""

from __future__ import annotations

import logging
import re
import threading
from concurrent.futures import Future, wait
from contextvars import ContextVar
from typing import TYPE_CHECKING

import msgspec

from webapp.alerts.channels import Post
from webapp.errors import ConfigError, SmartSyncError

if TYPE_CHECKING:
    from apprise import Apprise

STATUS = re.compile(r"error=(\d{3})\b")
SHORT = 320  # a service that takes no more than that in one message is sent the short words
PATIENCE_S = 60.0  # for one message; Apprise itself waits for as long as a service goes on to say anything
EARLIER_S = 20.0  # for an earlier message that is still on its way


class _Statuses(logging.Handler):
    """The statuses that Apprise speaks of while a message is sent, and nothing else of what it says."""

    of: ContextVar[list[str]] = ContextVar("statuses")  # which Apprise hands on to threads of its own

    def emit(self, record: logging.LogRecord) -> None:
        self.of.get([]).extend(STATUS.findall(record.getMessage()))


LINES = logging.getLogger("apprise")
LINES.addHandler(_Statuses())
LINES.propagate = False  # they may name what is secret


class Notify:
    """One address of Apprise. label: what may be said of it."""

    def __init__(self, address: str, label: str) -> None:
        self._address = address
        self._label = label
        self._opened_group: Apprise | None = None
        self._last: Future[str | None] = Future()
        self._last.set_result(None)

    def check(self) -> None:
        """See that Apprise knows what to do with the address.

        Raises: ConfigError.
        """
        self._opened()

    def send(self, post: Post) -> None:
        """Hand it to Apprise in a thread of its own, which is left behind where it hangs: one at most."""
        words: dict[str, str] = msgspec.json.decode(post.body)
        group = self._opened()
        wait([self._last], EARLIER_S)
        if not self._last.done():
            raise SmartSyncError(f"{self._label} has not done with an earlier message", code="timeout")
        done: Future[str | None] = Future()
        self._last = done

        def work() -> None:
            try:
                done.set_result(self._hand_over(group, words))
            except BaseException as error:  # noqa: BLE001  raised below
                done.set_exception(error)

        threading.Thread(target=work, name="apprise", daemon=True).start()
        try:
            why = done.result(PATIENCE_S)
        except TimeoutError:
            words_s = f"{self._label} did not answer within {PATIENCE_S:g} s"
            raise SmartSyncError(words_s, code="timeout") from None
        if why is not None:
            raise SmartSyncError(f"{self._label} did not take the message{why}", code="not_taken")

    @staticmethod
    def _hand_over(group: Apprise, words: dict[str, str]) -> str | None:
        """Why a message did not arrive, as far as a service says so; None: it did."""
        from apprise import NotifyFormat  # noqa: PLC0415  as below

        short = next(iter(group)).body_maxlen <= SHORT
        title, body = ("", words["short"]) if short else (words["title"], words["text"])
        statuses: list[str] = []
        _Statuses.of.set(statuses)  # for this thread, which ends with this message
        # Where a service takes another kind of text, Apprise turns ours into it: a name may look like markup.
        if group.notify(body=body, title=title, body_format=NotifyFormat.TEXT):
            return None
        return f": it answered {statuses[-1]}" if statuses else ""

    def _opened(self) -> Apprise:
        import apprise  # noqa: PLC0415  large, and not everybody has it

        if self._opened_group is None:
            # Long texts are sent in parts, unless the address itself says otherwise.
            usual = apprise.AppriseAsset(app_id="Smart Sync", app_desc="Smart Sync", app_url="", async_mode=False)
            known = apprise.Apprise.instantiate(self._address, asset=usual, suppress_exceptions=True)
            if known is None:
                raise ConfigError(
                    f"{self._label}: Apprise does not know such an address", hint="see its list of services"
                )
            if "overflow=" not in self._address:
                known.overflow_mode = apprise.OverflowMode.SPLIT
            group = apprise.Apprise(asset=usual)
            group.add(known)
            self._opened_group = group
        return self._opened_group
