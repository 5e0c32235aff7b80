"""Pictures that pass through as files: where nothing has to change, nothing is decoded."""

from __future__ import annotations

from tollbrush.domain.edits import EditRequest, Size
from tollbrush.engines.interface import Capabilities, EditInput
from tollbrush.imaging.bare import Bare
from tollbrush.imaging.header import sniff
from tollbrush.imaging.strip import strip
from tollbrush.settings import LimitSettings


def sources_as_files(
    request: EditRequest, caps: Capabilities, works_at: Size | None, longest: int, limits: LimitSettings
) -> tuple[Bare, ...]:
    """The sources without their metadata, to be recomposed at `works_at` (None: at their own size); empty where pixels
    are needed: for a mask, a fit, another colour space, or sides over both `longest` and that size's."""
    if not (caps.files and caps.generative and request.mask is None and request.fit is None):
        return ()
    files: list[Bare] = []
    longest = longest if works_at is None else max(longest, works_at.width, works_at.height)
    for data in request.sources:
        header = sniff(data, max_pixels=limits.image_pixels)
        if max(header.width, header.height) > longest or (file := strip(data, header)) is None:
            return ()
        if file.alpha and not caps.alpha:
            return ()
        files.append(file)
    if request.size is None and works_at not in (None, files[0].size):
        return ()
    return tuple(files)


def words(request: EditRequest, caps: Capabilities, works_at: Size) -> EditInput:
    """What an engine is told, all but the pictures."""
    return EditInput(
        sources=(),
        prompt=request.prompt,
        size=works_at,
        n=request.n,
        seed=request.seed or 0,
        quality=request.quality,
        background=request.background,
        previews=min(request.previews, caps.previews),
    )
