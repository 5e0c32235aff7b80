"""Pictures as people have them become data URIs; what is no picture is said by name."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from support.paid_server import png
from tollbrush.client.inputs import draft
from tollbrush.client.orders import Picture
from tollbrush.domain.edits import Size
from tollbrush.errors import BadImage, BadRequest, TollbrushError
from tollbrush.wire import datauri, multipart

PICTURE = png((20, 10))


def bytes_of(image: object) -> bytes:
    (picture,) = draft(image, "p", {}, urls=False).images
    assert isinstance(picture, Picture)
    return picture.data


def test_bytes_paths_and_files_go_out_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a picture.png"
    path.write_bytes(PICTURE)
    monkeypatch.setenv("HOME", str(tmp_path))
    with path.open("rb") as file:
        for given in (PICTURE, bytearray(PICTURE), memoryview(PICTURE), path, str(path), "~/a picture.png", file):
            assert bytes_of(given) == PICTURE
    assert bytes_of(io.BytesIO(PICTURE)) == PICTURE


def test_a_data_uri_is_decoded() -> None:
    made = draft(datauri.encode(PICTURE, "text/html"), "p", {}, urls=False)
    assert (made.images, made.source) == ((Picture(PICTURE, "image/png"),), Size(20, 10))


def test_pil_images_and_arrays_become_png() -> None:
    array = np.zeros((10, 20, 3), np.uint8)
    array[:, :, 0] = 200
    for given in (array, Image.fromarray(array), np.dstack([array, np.full((10, 20), 9, np.uint8)])):
        with Image.open(io.BytesIO(bytes_of(given))) as decoded:
            assert decoded.size == (20, 10)
            assert decoded.convert("RGB").getpixel((3, 3)) == (200, 0, 0)


def test_a_boolean_mask_is_black_and_white() -> None:
    mask = np.zeros((10, 20), bool)
    mask[2, 3] = True
    made = draft(PICTURE, "p", {"mask": mask}, urls=False)
    assert isinstance(made.mask, Picture)
    with Image.open(io.BytesIO(made.mask.data)) as decoded:
        assert (decoded.getpixel((3, 2)), decoded.getpixel((0, 0))) == (255, 0)


def test_several_pictures() -> None:
    made = draft([PICTURE, Image.new("RGB", (5, 5))], "p", {}, urls=False)
    assert len(made.images) == 2
    assert made.source == Size(20, 10)


def test_only_what_was_said_is_sent() -> None:
    options = {"n": 2, "seed": None, "fit": "pad", "max_price": "1", "progress": print, "mask": None}
    made = draft(PICTURE, "p", options, urls=False)
    order = made.order()
    sent = {"prompt": "p", "n": 2, "fit": "pad"}
    assert json.loads(order.as_json().body) == sent | {"image": datauri.encode(PICTURE, "image/png")}
    form = order.as_form()
    read = multipart.parse(form.body, form.content_type)
    assert read.fields == {"prompt": "p", "n": "2", "fit": "pad"}
    assert [(f.name, f.data) for f in read.files] == [("image", PICTURE)]
    assert order.quote == {"prompt": "p", "n": 2, "masked": False, "width": 20, "height": 10}


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (b"", BadImage, "image"),
        (b"not a picture at all", BadImage, "image"),
        ("/no/such/file.png", BadImage, "cannot be read: No such file"),
        (Path("/"), BadImage, "cannot be read"),
        (io.StringIO("text"), BadImage, "binary mode"),
        (42, BadImage, "is a int"),
        (None, BadImage, "is a NoneType"),
        ([], BadRequest, "empty list"),
        (np.zeros((4, 4, 3)), BadImage, "array of float64"),
        (np.zeros((4, 4, 2), np.uint8), BadImage, r"\(4, 4, 2\)"),
        ("http://pictures.example/a.png", BadRequest, "a URL"),
        ("data:text/plain,hello", BadImage, "data URI"),
    ],
)
def test_what_is_no_picture_is_said_by_name(given: Any, error: type[TollbrushError], said: str) -> None:
    with pytest.raises(error, match=said):
        draft(given, "p", {}, urls=False)


def test_the_wrong_one_of_several_is_named() -> None:
    with pytest.raises(BadImage, match=r"image\[1\]") as wrong:
        draft([PICTURE, b"no"], "p", {}, urls=False)
    assert wrong.value.path == "image[1]"
    with pytest.raises(BadImage, match="mask"):
        draft(PICTURE, "p", {"mask": b"no"}, urls=False)


ODD_NAMES = [
    "a picture.png",
    'it\'s "quoted".png',
    "Bildchen-äöü-画像.png",
    "two\nlines.png",
    "-rf.png",
    "%2e%2e.png",
    "$HOME.png",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_file_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / name).write_bytes(PICTURE)
    assert bytes_of(str(tmp_path / name)) == PICTURE
    monkeypatch.chdir(tmp_path)
    assert bytes_of(Path(name)) == PICTURE


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    """A pipe nobody writes to must not hang."""
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with (tmp_path / "huge.png").open("wb") as sparse:
        sparse.write(PICTURE)
        sparse.truncate(100 * 2**20)
    refused = {
        tmp_path / "pipe.png": "a device or a pipe",
        Path("/dev/zero"): "a device or a pipe",
        Path("/dev/null"): "a device or a pipe",
        tmp_path: "cannot be read: Is a directory",
        tmp_path / "loop": "cannot be read: Too many levels",
        tmp_path / "huge.png": "larger than 64 MB",
        tmp_path / "a\0.png": "is no path",
        Path("~nobody-of-this-name/a.png"): "is no path",
        tmp_path / ("long" * 100): "cannot be read: File name too long",
    }
    for path, said in refused.items():
        with pytest.raises(BadImage, match=said):
            draft(str(path), "p", {}, urls=False)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PICTURE)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root reads everything")
    with pytest.raises(BadImage, match="Permission denied"):
        draft(path, "p", {}, urls=False)
