"""Whether what is stored survives a restart, by the file system it is on."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from webapp.store import storage
from webapp.store.db import Database
from webapp.store.storage import Durability, durability, whereabouts

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
overlay /container overlay rw 0 0
tmpfs /dev/shm tmpfs rw 0 0
/dev/sdb1 /srv/two\\040words ext4 rw 0 0
host:/export /net nfs4 rw 0 0
/dev/sdc1 /net/disk ext4 rw 0 0
a line that ends early

"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mounts"
    path.write_text(MOUNTS)
    return path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/dev/shm/smart-sync.db", "ephemeral"),
        ("/container/smart-sync.db", "ephemeral"),
        ("/dev/shmall/smart-sync.db", "durable"),
        ("/srv/two words/smart-sync.db", "durable"),
        ("/net/smart-sync.db", "network"),
        ("/net/disk/smart-sync.db", "durable"),
    ],
)
def test_the_nearest_mount_decides(mounts: Path, path: str, kind: str) -> None:
    assert durability(Path(path), mounts) == kind


def test_a_sandbox_hands_its_own_layer_in_as_the_root(tmp_path: Path) -> None:
    mounts = tmp_path / "sandbox"
    mounts.write_text("none / 9p rw 0 0\n/dev/sdb /data ext4 rw 0 0\nshare /net 9p rw 0 0\n")

    assert durability(Path("/srv/smart-sync.db"), mounts) == "ephemeral"
    assert durability(Path("/data/smart-sync.db"), mounts) == "durable"
    assert durability(Path("/net/smart-sync.db"), mounts) == "network"


@pytest.mark.parametrize("kind", get_args(Durability))
def test_words_say_where_the_data_is(sqlite_db: Database, monkeypatch: pytest.MonkeyPatch, kind: Durability) -> None:
    monkeypatch.setattr(storage, "durability", lambda _: kind)

    words, found = whereabouts(sqlite_db)

    assert found == kind
    assert words.startswith(f"in {sqlite_db.storage()}, ")
    assert ("survives" in words) == (kind in ("durable", "unknown"))


def test_a_server_is_told_by_its_name(postgres_db: Database) -> None:
    assert whereabouts(postgres_db) == (f"on the server {postgres_db.storage()}", "durable")


def test_a_system_without_a_table_of_mounts_says_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()

    assert durability(Path("/srv/smart-sync.db"), tmp_path / "none") == "unknown"
    assert durability(Path("/srv/smart-sync.db"), empty) == "unknown"
