"""Pictures between the agent and this machine: sources below the allowed folders, results saved, thumbnails shown."""

from __future__ import annotations

import base64
import io
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from tollbrush.client.files import LocalFiles, allowed_roots, shorten
from tollbrush.errors import BadRequest

if TYPE_CHECKING:
    from tollbrush.client import EditedImage
    from tollbrush.settings import Settings

SUFFIX: Final = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif"}
_SUFFIXES: Final = (*SUFFIX.values(), ".jpeg")
_ELSEWHERE: Final = ("data:", "http://", "https://")
_NAME: Final = 240
"""Bytes of a file's name; file systems end at 255, and a number may be added."""
_SIDE: Final = 768
_MOST: Final = 1_000_000
"""Bytes of all thumbnails of an answer, in base64: some clients drop an answer of 1 MB."""
_TOO_MANY_PIXELS: Final = 60_000_000


class Album:
    """`settings` say which folders may be read and written."""

    def __init__(self, settings: Settings) -> None:
        self._roots = allowed_roots(settings.router.allowed_roots)
        self._files = LocalFiles(self._roots, max_bytes=settings.gateway.limits.image_bytes)
        self._fallback = settings.data_dir / "pictures"

    def read(self, reference: str, name: str) -> bytes | str:
        """The file's bytes; what is no file as it stands. Raises BadRequest."""
        local = _local(reference)
        return reference if local is None else self._files.read(local, path=name)

    def target(self, output: str | None, source: str) -> Path:
        """Where the first picture goes, without its suffix: as named, else beside the source. Raises BadRequest."""
        if output is None:
            return self._beside(source)
        shown = shorten(output)
        try:
            path = Path(output).expanduser()
            folder = path.parent.resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as failure:
            raise BadRequest(f"output {shown}: there is no such folder.", path="output") from failure
        if path.suffix.lower() not in _SUFFIXES or not path.name.isprintable() or len(os.fsencode(path.name)) > _NAME:
            raise BadRequest(f"output {shown} is not named as a picture, such as out.png.", path="output")
        if not self._is_allowed(folder):
            allowed = ", ".join(map(str, self._roots))
            raise BadRequest(f"output {shown} is outside the allowed folders.", path="output", advice=f"Use {allowed}.")
        if not os.access(folder, os.W_OK):
            raise BadRequest(f"output {shown}: its folder may not be written.", path="output")
        return folder / path.stem

    def _beside(self, source: str) -> Path:
        local = _local(source)
        if local is not None:
            path = Path(local).expanduser()
            folder = path.parent.resolve()
            if self._is_allowed(folder) and os.access(folder, os.W_OK):
                return folder / f"{path.stem}-edited"
        return self._fallback / "edited"

    def _is_allowed(self, folder: Path) -> bool:
        return any(folder.is_relative_to(root) for root in self._roots)


def _local(reference: str) -> str | None:
    """The path that is meant, None for what is no file."""
    start = reference[:8].lower()
    if start.startswith(_ELSEWHERE):
        return None
    return unquote(urlsplit(reference).path) if start.startswith("file:") else reference


def save(images: Sequence[EditedImage], target: Path) -> list[Path]:
    """The files written, under free numbers: nothing is overwritten, no link is followed. Raises BadRequest."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return [_write(image.bytes, target, SUFFIX[image.mime_type]) for image in images]
    except OSError as failure:
        raise BadRequest(
            f"the result cannot be saved in {target.parent}: {failure.strerror}.",
            advice="It is paid for: call edit_image with the same arguments and another output to have it.",
        ) from failure


def _write(data: bytes, target: Path, suffix: str) -> Path:
    number = 1
    while True:
        path = target.with_name(f"{target.name}{'' if number == 1 else f'-{number}'}{suffix}")
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        except FileExistsError:
            number += 1
            continue
        with os.fdopen(file, "wb") as handle:
            handle.write(data)
        return path


def thumbnails(pictures: Sequence[bytes]) -> list[tuple[str, str]]:
    """(base64, media type) of each picture in small, within 1 MB together. None of a picture that is too large to be
    worth decoding, or that this machine cannot decode."""
    count = max(1, len(pictures))
    side, budget = int(_SIDE / count**0.5), _MOST // count * 3 // 4
    return [small for picture in pictures if (small := _thumbnail(picture, side, budget))]


def _thumbnail(data: bytes, side: int, budget: int) -> tuple[str, str] | None:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
        if image.width * image.height > _TOO_MANY_PIXELS:
            return None
        image.draft("RGB", (side, side))
        image.thumbnail((side, side))
        kind = "PNG" if image.has_transparency_data else "JPEG"
        small = image.convert("RGBA" if kind == "PNG" else "RGB")
        while True:
            out = io.BytesIO()
            small.save(out, kind, quality=85)
            if out.tell() <= budget:
                return base64.b64encode(out.getvalue()).decode(), f"image/{kind.lower()}"
            small.thumbnail((max(1, small.width * 3 // 4), max(1, small.height * 3 // 4)))
    except (OSError, ValueError, SyntaxError):  # Pillow's words for a picture that it cannot read
        return None
