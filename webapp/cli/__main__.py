"""`python -m webapp.cli`."""

from __future__ import annotations

from webapp.cli import main

main(prog_name="smart-sync")
