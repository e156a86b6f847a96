"""Messages to programs: signed by the rules of Standard Webhooks, so that any of its libraries can check them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from webapp.alerts.channels import LeaveAlone, Post
from webapp.errors import SmartSyncError

GONE = 410

# Posts a body with headers to an address; its status. Raises: SmartSyncError when no answer came.
Send = Callable[[str, bytes, Mapping[str, str]], int]


class Webhook:
    """One address. secrets: each of them signs, so that a receiver may still know the old one while it is changed."""

    def __init__(self, url: str, secrets: Sequence[str], now: Callable[[], datetime], send: Send) -> None:
        self._url = url
        self._secrets = secrets
        self._now = now
        self._send = send

    def send(self, post: Post) -> None:
        status = self._send(self._url, post.body.encode(), self._headers(post))
        if status == GONE:
            raise LeaveAlone("the webhook's address answered 410: it is gone")
        if not 200 <= status < 300:  # noqa: PLR2004  a redirect is none either: it may lead anywhere
            raise SmartSyncError(f"the webhook's address answered {status}", code=f"status_{status}")

    def _headers(self, post: Post) -> Mapping[str, str]:
        from standardwebhooks import Webhook as Signer  # noqa: PLC0415  most services have no webhook

        now = self._now()
        signatures = [Signer(secret).sign(post.message_id, now, post.body) for secret in self._secrets]
        return {
            "Content-Type": "application/json",
            "webhook-id": post.message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
