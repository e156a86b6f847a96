"""Faults that no test can notice, or need not: {(module, place, change): why}."""

from __future__ import annotations

__all__ = ["NAMED"]

NAMED: dict[tuple[str, str, str], str] = {}
