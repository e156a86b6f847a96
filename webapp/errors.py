"""What a caller can act on. Anything else that is raised is a bug and stays loud."""

from __future__ import annotations

from typing import Any


class SmartSyncError(Exception):
    """An error with a stable machine `code`, words for a person and, where there is one, the fix."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(SmartSyncError):
    """A setting that cannot be used; the message names every bad one."""

    code = "config"


class SourceError(SmartSyncError):
    """A source said no for good: asking again will not help until somebody mends it."""

    code = "source_error"


class TransientSourceError(SourceError):
    """A source did not answer this time; asking later may help."""

    code = "source_unavailable"


class OutOfTime(TransientSourceError):
    """The run's budget was used up in the middle of a tab, or before it."""


class StoreError(SmartSyncError):
    """The database cannot be used now: locked, full, read-only, corrupt, replaced, or of another version."""

    code = "database_unavailable"


class LostLease(SmartSyncError):
    """Another run has taken the project over; nothing of this run may be written."""

    code = "lost_lease"


class NotFound(SmartSyncError):
    """No such project, account or run."""

    code = "not_found"


class Invalid(SmartSyncError):
    """A request that is understood and cannot be granted as it stands; `field` names what to change."""

    code = "invalid"

    def __init__(
        self, message: str, *, field: str | None = None, code: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.field = field


class Conflict(SmartSyncError):
    """A request that collides with what is there; `field` names what to change, `about` the ids of what is in the way."""

    code = "conflict"

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        code: str | None = None,
        hint: str | None = None,
        **about: Any,
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.field = field
        self.about = about
