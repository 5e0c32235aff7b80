"""What is kept of what was bought."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from tollbrush.errors import NotFound, Unavailable
from tollbrush.router.results import Pictures


def test_a_picture_is_named_by_its_bytes(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "images", quota=10**6)
    key = pictures.save(b"bytes", "image/png")
    assert key == hashlib.sha256(b"bytes").hexdigest() + ".png" == pictures.save(b"bytes", "image/png")
    assert pictures.find(key).read_bytes() == b"bytes" and pictures.has(key)
    assert [p.name for p in (tmp_path / "images").iterdir()] == [key]
    assert stat.S_IMODE(pictures.find(key).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "key", ["", "../router-token", "a.png", "0" * 64 + ".svg", "0" * 64 + ".png", "A" * 64 + ".png"]
)
def test_a_key_that_is_none(tmp_path: Path, key: str) -> None:
    pictures = Pictures(tmp_path, quota=10**6)
    assert not pictures.has(key)
    with pytest.raises(NotFound):
        pictures.find(key)


def test_past_the_quota_the_least_lately_used_go(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path, quota=250)
    keys = [pictures.save(bytes([i]) * 100, "image/png") for i in range(2)]
    for age, key in enumerate(keys):
        os.utime(tmp_path / key, (1000 + age, 1000 + age))
    pictures.find(keys[0])  # used again just now
    newest = pictures.save(b"\2" * 100, "image/png")
    assert [pictures.has(key) for key in (*keys, newest)] == [True, False, True]
    large = pictures.save(b"\3" * 1000, "image/png")
    assert [pictures.has(key) for key in (keys[0], newest, large)] == [False, False, True]


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "images", quota=1)
    (tmp_path / "images").rmdir()
    with pytest.raises(Unavailable, match="cannot be saved"):
        pictures.save(b"x", "image/png")
