"""Pictures on this machine: what is shown stays small, what is saved overwrites nothing and stays where it may."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import pytest
from PIL import Image

from support.pictures import photo
from tollbrush.client import EditedImage
from tollbrush.errors import BadRequest
from tollbrush.mcp.album import Album, save, thumbnails
from tollbrush.settings import RouterSettings, Settings


def noise(side: int, mode: str = "RGBA") -> bytes:
    out = io.BytesIO()
    Image.frombytes(mode, (side, side), os.urandom(side * side * len(mode))).save(out, "PNG", compress_level=0)
    return out.getvalue()


def edited(data: bytes, mime_type: str = "image/png") -> EditedImage:
    return EditedImage(data, mime_type, 1, 1)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "outside").mkdir()
    return tmp_path / "home"


@pytest.fixture
def album(home: Path, tmp_path: Path) -> Album:
    return Album(Settings(data_dir=tmp_path / "data", router=RouterSettings(allowed_roots=(home,))))


@pytest.mark.parametrize("count", [1, 10])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_thumbnails_stay_below_a_megabyte(count: int, mode: str) -> None:
    """Noise does not compress: the worst there is."""
    shown = thumbnails([noise(900, mode)] * count)
    assert len(shown) == count and sum(len(data) for data, _ in shown) <= 1_000_000
    for data, kind in shown:
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert image.get_format_mimetype() == kind == ("image/png" if mode == "RGBA" else "image/jpeg")
            assert max(image.size) <= 768


def test_no_thumbnail_of_what_is_none_or_too_large() -> None:
    bomb = io.BytesIO()
    Image.new("1", (9000, 9000)).save(bomb, "PNG")
    assert thumbnails([b"no picture", photo()[:200], bomb.getvalue()]) == []


def test_saved_beside_the_source_under_a_free_number(album: Album, home: Path) -> None:
    (home / "my cat.jpg").write_bytes(photo())
    for source in (str(home / "my cat.jpg"), (home / "my cat.jpg").as_uri()):
        assert album.target(None, source) == home / "my cat-edited"
    target = home / "my cat-edited"
    (home / "my cat-edited.png").symlink_to(home / "elsewhere")
    names = [path.name for path in save([edited(b"a"), edited(b"b"), edited(b"c", "image/jpeg")], target)]
    assert names == ["my cat-edited-2.png", "my cat-edited-3.png", "my cat-edited.jpg"]
    assert not (home / "elsewhere").exists()


def test_elsewhere_when_beside_is_not_allowed(album: Album, home: Path, tmp_path: Path) -> None:
    (home / "cat.png").write_bytes(photo())
    (tmp_path / "outside/link.png").symlink_to(home / "cat.png")
    for source in ("data:image/png;base64,AAAA", "https://x.example/cat.png", str(tmp_path / "outside/link.png")):
        assert album.target(None, source) == tmp_path / "data/pictures/edited"
    (path,) = save([edited(b"a")], tmp_path / "data/pictures/edited")
    assert path.read_bytes() == b"a"


def test_outputs(album: Album, home: Path, tmp_path: Path) -> None:
    assert album.target(str(home / "out.webp"), "x") == home / "out"
    (home / "way").symlink_to(tmp_path / "outside")
    for wrong in (
        "out.txt",
        "out",
        ".png",
        "no/out.png",
        "../outside/out.png",
        "way/out.png",
        "a\0.png",
        "é" * 130 + ".png",
    ):
        with pytest.raises(BadRequest) as refused:
            album.target(str(home / wrong), "x")
        assert refused.value.path == "output"


def test_a_full_disk_is_said_and_the_edit_is_not_lost() -> None:
    with pytest.raises(BadRequest, match="cannot be saved") as refused:
        save([edited(b"a")], Path("/proc/nothing/out"))
    assert "paid for" in refused.value.sentence()
