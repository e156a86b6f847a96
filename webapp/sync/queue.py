"""Runs that workers of Celery work off: put here by whoever is asked, taken by `webapp.tasks`.

What is put is a run's id and what it was asked: the run's row is the truth, and a task that comes twice finds it taken.
Celery is imported by whoever puts or takes, since most services have none.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from webapp.errors import StoreError

if TYPE_CHECKING:
    from celery import Celery

WORK = "webapp.tasks.work_off_run"
REACH_S = 3.0  # for the broker to answer
BUDGET_S = 600.0  # that a run has, unless a setting gives it more
WRITING_S = 300.0  # that it may take beyond its budget, for what it has read by then


def longest_budget_s(budget_s: float | None) -> float:
    """Seconds that any run may ask for. budget_s: of the settings."""
    return max(BUDGET_S, budget_s or 0.0)


def celery_app(broker: str, budget_s: float | None = None) -> Celery:
    """Celery over this Redis: JSON alone, acknowledged when done, given to another worker when one is lost.

    budget_s: of the settings; whoever only puts tasks need not know. Nobody asks for results: the log of runs has them. Certificates are checked wherever there is TLS.
    """
    from celery import Celery  # noqa: PLC0415  see above

    longest_s = longest_budget_s(budget_s) + WRITING_S
    app = Celery("smart_sync", broker=broker)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_time_limit=longest_s,
        task_default_queue="smart_sync",
        task_publish_retry=False,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_timeout=REACH_S,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": 2 * longest_s,  # longer than any task, so that none comes twice without need
            "socket_timeout": 2 * REACH_S,
            "socket_connect_timeout": REACH_S,
            "retry_on_timeout": False,
            "max_retries": 1,
        },
        broker_use_ssl={"ssl_cert_reqs": ssl.CERT_REQUIRED} if broker.startswith("rediss") else None,
        timezone="UTC",
    )
    return app


class Queue:
    """broker: address of the Redis."""

    def __init__(self, broker: str) -> None:
        self._broker = broker

    @cached_property
    def app(self) -> Celery:
        return celery_app(self._broker)

    def put(self, run_id: str, params: Mapping[str, Any]) -> None:
        """Let a worker work a queued run off. params: of its trigger.

        Raises: StoreError `queue_unavailable`.
        """
        try:
            self.app.send_task(WORK, [run_id, dict(params)], retry=False)
        except Exception as error:  # noqa: BLE001  Celery, kombu and redis have errors of their own for the same thing
            raise unreachable(error) from None

    def check(self) -> None:
        """See that the broker answers.

        Raises: StoreError `queue_unavailable`.
        """
        try:
            with self.app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=REACH_S)
                connection.default_channel.close()
        except Exception as error:  # noqa: BLE001  as above
            raise unreachable(error) from None

    def workers(self, within_s: float = 2.0) -> list[str]:
        """The workers that answer within that time.

        Raises: StoreError `queue_unavailable`.
        """
        try:
            return sorted(self.app.control.inspect(timeout=within_s).ping() or {})
        except Exception as error:  # noqa: BLE001  as above
            raise unreachable(error) from None


# The name of an error on the way to a Redis: what that means, and what helps. What comes first says most.
REASONS = {
    "AuthenticationError": ("it refuses the password", "see that the address has its user and password"),
    "NoPermissionError": ("its user may not do this", "give the user the right to all commands"),
    "OutOfMemoryError": ("it has no memory left", "give it more, or end what fills it"),
    "SSLCertVerificationError": (
        "its certificate is not trusted, or of another host",
        "use the host name of the certificate; name an authority of your own by SSL_CERT_FILE",
    ),
    "gaierror": ("its host is not known", "see that the address is right"),
    "ConnectionRefusedError": ("nothing listens there", "start it, or see that host and port are right"),
    "TimeoutError": ("it does not answer", "see that it runs; rediss:// is for one with TLS, redis:// for one without"),
    "ConnectionResetError": ("it hangs up", "rediss:// is for one with TLS, redis:// for one without"),
    "ResponseError": ("it refuses the number of the database", "end the address with the number of one it has, or /0"),
}


def unreachable(error: Exception) -> StoreError:
    """In words of ours, since its own may name the address, which is a secret."""
    names = [type(one).__name__ for one in _causes(error)]
    name = next((name for name in REASONS if name in names), None)
    reason, hint = REASONS[name] if name else (type(error).__name__, "see that it runs, and that the address is right")
    return StoreError(f"the Redis at REDIS_URL cannot be reached: {reason}", code="queue_unavailable", hint=hint)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
