"""Whether what is stored survives a restart, by the file system it is on."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapp.store.storage import durability

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


def test_a_system_without_a_table_of_mounts_says_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()

    assert durability(Path("/srv/smart-sync.db"), tmp_path / "none") == "unknown"
    assert durability(Path("/srv/smart-sync.db"), empty) == "unknown"
