"""Messages to people, by whatever Apprise knows: mail, chat, text message.

Apprise is large, so it is loaded by the first message, or by who checks the addresses.
"""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING

import msgspec

from webapp.alerts.channels import Post
from webapp.errors import ConfigError, SmartSyncError

if TYPE_CHECKING:
    from apprise import NotifyBase

LINES = logging.getLogger("apprise")
LINES.addHandler(logging.NullHandler())
LINES.propagate = False  # they may name what is secret
STATUS = re.compile(r"error=(\d{3})\b")
SHORT = 320  # a service that takes no more than that in one message is sent the short words


class _Statuses(logging.Handler):
    """The statuses that Apprise speaks of in this thread, and nothing else of what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.found += STATUS.findall(record.getMessage())


class Notify:
    """One address of Apprise. label: what may be said of it."""

    def __init__(self, address: str, label: str) -> None:
        self._address = address
        self._label = label
        self._service: NotifyBase | None = None

    def check(self) -> None:
        """See that Apprise knows what to do with the address.

        Raises: ConfigError.
        """
        self._opened()

    def send(self, post: Post) -> None:
        words: dict[str, str] = msgspec.json.decode(post.body)
        service = self._opened()
        short = service.body_maxlen <= SHORT
        title, body = ("", words["short"]) if short else (words["title"], words["text"])
        said = _Statuses()
        LINES.addHandler(said)
        try:
            arrived = service.notify(body=body, title=title)
        finally:
            LINES.removeHandler(said)
        if not arrived:
            why = f": it answered {said.found[-1]}" if said.found else ""
            raise SmartSyncError(f"{self._label} did not take the message{why}", code="not_taken")

    def _opened(self) -> NotifyBase:
        import apprise  # noqa: PLC0415  large, and not everybody has it

        if self._service is None:
            # Long texts are sent in parts, unless the address itself says otherwise.
            usual = apprise.AppriseAsset(app_id="Smart Sync", app_desc="Smart Sync", app_url="")
            known = apprise.Apprise.instantiate(self._address, asset=usual, suppress_exceptions=True)
            if known is None:
                raise ConfigError(
                    f"{self._label}: Apprise does not know such an address", hint="see its list of services"
                )
            if "overflow=" not in self._address:
                known.overflow_mode = apprise.OverflowMode.SPLIT
            self._service = known
        return self._service
