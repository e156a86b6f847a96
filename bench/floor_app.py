"""The floor of reads and of a start: a Flask view of constant bytes, beside SQLAlchemy Core that nothing uses."""

from __future__ import annotations

import os
from pathlib import Path

import sqlalchemy  # noqa: F401  a start pays for it
from flask import Flask, Response

app = Flask("floor", static_folder=None)
BODY = Path(os.environ["BENCH_BODY"]).read_bytes() if "BENCH_BODY" in os.environ else b"{}"


@app.get("/constant")
def constant() -> Response:
    return Response(BODY, content_type="application/json")
