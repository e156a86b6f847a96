"""The command line in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from webapp import cli
from webapp.bootstrap import DEMO_FOLDER
from webapp.config import every_setting

__all__ = ["Shell"]


class Shell:
    """A terminal in a folder of its own, whose environment has nothing of the developer's.

    sheet: a folder of CSV files, at first a copy of the demo's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sheet = folder / "sheet"
        shutil.copytree(DEMO_FOLDER, self.sheet)
        self.env: dict[str, str | None] = dict.fromkeys(os.environ.keys() & _settings_and_files(), None)
        self.env |= {"SMART_SYNC_SHEET": str(self.sheet), "SMART_SYNC_DATA_DIR": str(folder / "data")}
        self.env["SMART_SYNC_PLATFORMS"] = "none"  # nobody is asked beyond this machine

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/data/smart_sync.db"

    def run(self, *words: str, **env: str) -> Result:
        return CliRunner().invoke(cli.main, words, env=self.env | env)

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json").stdout)


def _settings_and_files() -> set[str]:
    return {setting.name + ending for setting in every_setting() for ending in ("", "_FILE")}
