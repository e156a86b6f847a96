"""How often a spreadsheet's service may be asked, where several share what it grants."""

from __future__ import annotations

from collections.abc import Callable

from webapp.clock import Budget

# Returns when the next call may be made. Raises: TransientSourceError where that is after the budget's end.
Pace = Callable[[Budget], None]
