"""A mail server that keeps what it gets."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message

__all__ = ["Mailbox"]


class Mailbox(socketserver.ThreadingTCPServer):
    """mails: all that came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.mails: list[Message] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @contextmanager
    def serving(self) -> Iterator[Mailbox]:
        thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class _Talk(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self._say("220 here")
        for line in self.rfile:
            verb = line[:4].upper()
            self._say({b"DATA": "354 go on", b"QUIT": "221 bye"}.get(verb, "250 yes"))
            if verb == b"DATA":
                self.server.mails.append(message_from_bytes(b"".join(iter(self.rfile.readline, b".\r\n"))))
                self._say("250 taken")

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")
