"""The pixels' part of an edit: what the engine gets, and what becomes of what it gives back.

    bytes ─ check_sources ─ (price, payment) ─ prepare ─► EditInput ─ engine ─► EditedImage ─ finish ─► bytes

Pure functions; prepare and finish are heavy and belong in a thread.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from tollbrush.domain.edits import EditRequest, OutputFormat, Size
from tollbrush.editing.files import sources_as_files, words
from tollbrush.engines.interface import Capabilities, EditedImage, EditInput
from tollbrush.errors import BadImage, BadMask, BadRequest, EngineFailed, UnsupportedParameter
from tollbrush.imaging import codec
from tollbrush.imaging.bare import Bare
from tollbrush.imaging.codec import Pixels
from tollbrush.imaging.composite import composite, preserved
from tollbrush.imaging.focus import focus_of, focus_of_mask
from tollbrush.imaging.geometry import Transform, resize
from tollbrush.imaging.header import Header, sniff
from tollbrush.imaging.masks import Mask, edited_fraction, read_mask
from tollbrush.settings import LimitSettings

_Array = TypeVar("_Array", bound=NDArray[Any])

FREE_SIDE: Final = 2048
"""Longest side sent to an engine that recomposes the picture, unless it is asked for a larger one."""

_NO_PIXELS: Final = np.empty((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class Prepared:
    """`input` goes to the engine. `base` and `mask` measure what is delivered: T(source), or with `auto` the source
    itself. `working` leads from there to what the engine gets, and its picture back: the identity, except for
    `auto` on a fixed-size model. `delivering`: instead, from the frame that the words ask for to the size asked for.
    `reattach`: the engine cannot keep alpha, and the base's belongs to the result.
    Arrays are read-only, because the engine's input and the base may be the same one."""

    input: EditInput
    base: Pixels
    mask: Mask | None
    working: Transform
    reattach: bool
    generative: bool
    format: OutputFormat
    delivering: Transform | None = None

    def light(self) -> Prepared | None:
        """The same without pixels, where nothing of the source comes back in the result."""
        if self.mask is not None or self.reattach:
            return None
        return replace(self, input=replace(self.input, sources=(), files=()), base=_NO_PIXELS)


@dataclass(frozen=True)
class Finished:
    """One result, encoded. `sha256` (hex) is of `data`. `preserved`: every pixel outside the mask is T(source)'s, bit
    for bit; None without a mask, as is `edited_fraction`. `seed`: the engine's own; None when it takes none."""

    data: bytes
    mime_type: str
    width: int
    height: int
    sha256: str
    preserved: bool | None
    edited_fraction: float | None
    seed: int | None
    revised_prompt: str


def check_sources(request: EditRequest, limits: LimitSettings) -> tuple[Header, ...]:
    """Everything that headers tell, before any price is asked: format, bytes, pixels, the mask's size. The sources'
    headers in order. Raises BadImage, BadMask, BadRequest."""
    if not request.sources:
        raise BadRequest("image is required: a data URI, or an array of them.", path="image")
    several = len(request.sources) > 1
    headers = tuple(
        _header(data, f"image[{i}]" if several else "image", limits) for i, data in enumerate(request.sources)
    )
    everything = list(headers)
    if request.mask is not None:
        mask = _header(request.mask, "mask", limits)
        if mask.upright != headers[0].upright:
            raise BadMask(f"mask measures {mask.upright}, the picture {headers[0].upright}.", path="mask")
        everything.append(mask)
    total = sum(header.upright.pixels for header in everything)
    if total > limits.request_pixels:
        message = f"The pictures have {total:,} pixels together; at most {limits.request_pixels:,}."
        raise BadImage(message, path="image", advice="Scale them down.")
    return headers


def prepare(
    request: EditRequest, caps: Capabilities, size: Size | None, limits: LimitSettings, reframed: Size | None = None
) -> Prepared:
    """Decodes and fits. `size` is what the engine works at: the size asked for, or with `auto` the model's choice;
    None is the source's own. `reframed`: what the words make of the source's frame, which then is not fitted before.
    `request.seed` has been drawn. Raises BadImage, BadMask."""
    if (passed := _passed(request, caps, size, limits)) is not None:
        return passed
    several = len(request.sources) > 1
    first, *references = (
        codec.decode(data, max_pixels=limits.image_pixels, path=f"image[{i}]" if several else "image")
        for i, data in enumerate(request.sources)
    )
    own = _size(first)
    mask = None
    if request.mask is not None:
        mask = read_mask(request.mask, own, request.mask_mode, max_pixels=limits.image_pixels)
    wanted = request.size or own
    works_at = size or wanted
    delivering = None
    if reframed is not None:
        works_at, base, shown, shown_mask = reframed, first, first, None
        working = Transform.plan(own, own, "stretch")
        delivering = Transform.plan(reframed, request.size or reframed, request.fit or "crop")
    elif caps.generative and mask is None and request.fit is None and request.size is not None:
        # It recomposes the picture itself: nothing to fit, nothing to come back to.
        base = shown = _bounded(first, works_at)
        shown_mask, working = None, Transform.plan(works_at, works_at, "stretch")
    else:
        fitting = _fitting(request, first, mask, wanted)
        base, mask = fitting.apply(first), None if mask is None else fitting.apply_mask(mask)
        working = Transform.plan(wanted, works_at, "pad")
        shown, shown_mask = working.apply(base), None if mask is None else working.apply_mask(mask)
    sources = (shown, *(_bounded(reference, works_at) for reference in references))
    reattach = base.shape[2] == 4 and not caps.alpha and not caps.generative
    output = request.output_format or "png"
    as_file = caps.files and mask is None and working.identity and not reattach
    given = replace(
        words(request, caps, works_at),
        sources=tuple(_frozen(pixels if caps.alpha else codec.flatten(pixels)) for pixels in sources),
        mask=None if shown_mask is None else _frozen(shown_mask),
        takes=output if as_file else None,
    )
    bounds = None if mask is None else _frozen(mask)
    return Prepared(given, _frozen(base), bounds, working, reattach, caps.generative, output, delivering)


def _passed(request: EditRequest, caps: Capabilities, size: Size | None, limits: LimitSettings) -> Prepared | None:
    """Without decoding anything, where nothing has to change."""
    files = sources_as_files(request, caps, size or request.size, FREE_SIDE, limits)
    if not files:
        return None
    works_at, output = size or request.size or files[0].size, request.output_format or "png"
    given = replace(words(request, caps, works_at), files=files, takes=output)
    identity = Transform.plan(works_at, works_at, "stretch")
    return Prepared(given, _NO_PIXELS, None, identity, reattach=False, generative=True, format=output)


def finish(prepared: Prepared, edited: EditedImage) -> Finished:
    """Brings the engine's picture to the size asked for, composites it within the mask, encodes. Raises EngineFailed
    on pixels that are no answer to the input, UnsupportedParameter where the result is transparent and JPEG was
    asked for: only the pixels can tell, so it comes late, and uncharged."""
    if isinstance(edited.content, Bare):
        return _as_it_came(edited.content, edited)
    base, mask = prepared.base, prepared.mask
    answer = _answer(prepared, edited.pixels)
    pixels = prepared.delivering.apply(answer) if prepared.delivering else prepared.working.invert(answer)
    if prepared.reattach:
        pixels = np.dstack((pixels[..., :3], base[..., 3]))
    if mask is not None:
        pixels = composite(base, pixels, mask, feather_radius(_size(base)))
    pixels = codec.drop_opaque(pixels)
    if prepared.format == "jpeg" and pixels.shape[2] == 4:
        message = "The result is transparent, which JPEG cannot hold."
        raise UnsupportedParameter(message, path="output_format", advice="Ask for png or webp. Nothing was charged.")
    data = codec.encode(pixels, prepared.format)
    lossless = prepared.format != "jpeg"
    return Finished(
        data=data,
        mime_type=codec.mime(prepared.format),
        width=pixels.shape[1],
        height=pixels.shape[0],
        sha256=hashlib.sha256(data).hexdigest(),
        preserved=None if mask is None else lossless and preserved(base, pixels, mask),
        edited_fraction=None if mask is None else edited_fraction(mask),
        seed=edited.seed,
        revised_prompt=edited.revised_prompt,
    )


def _as_it_came(file: Bare, edited: EditedImage) -> Finished:
    """An answer that is what was asked for, to the byte."""
    return Finished(
        data=file.data,
        mime_type=codec.mime(file.format),
        width=file.size.width,
        height=file.size.height,
        sha256=hashlib.sha256(file.data).hexdigest(),
        preserved=None,
        edited_fraction=None,
        seed=edited.seed,
        revised_prompt=edited.revised_prompt,
    )


def feather_radius(size: Size) -> int:
    """Pixels over which an edit fades in: 2 at 1024."""
    return max(1, round(min(size.width, size.height) / 512))


def _header(data: bytes, path: str, limits: LimitSettings) -> Header:
    if len(data) > limits.image_bytes:
        message = f"{path} is {len(data):,} bytes; at most {limits.image_bytes:,}."
        raise BadImage(message, path=path, advice="Scale or compress it.")
    return sniff(data, max_pixels=limits.image_pixels, path=path)


def _fitting(request: EditRequest, source: Pixels, mask: Mask | None, wanted: Size) -> Transform:
    """T. A crop keeps what is edited in view, else the subject."""
    own, fit = _size(source), request.fit or "crop"
    focus = None
    if fit == "crop" and own != wanted:
        focus = focus_of_mask(mask) if mask is not None else focus_of(source)
    return Transform.plan(own, wanted, fit, focus)


def _answer(prepared: Prepared, pixels: Pixels) -> Pixels:
    """The engine's picture at the size it was given. A generative model may answer in another one."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or not pixels.size:
        raise EngineFailed(f"the engine answered an array of {pixels.dtype} {pixels.shape}, not a picture.")
    found, wanted = _size(pixels), prepared.input.size
    if found == wanted:
        return pixels
    if not (prepared.generative and found.passes_for(wanted)):
        raise EngineFailed(f"the engine answered {found} instead of {wanted}.")
    # A bounded edit must stay aligned with its base; a free one must not be squeezed.
    aligned = prepared.mask is not None or not prepared.working.identity
    return Transform.plan(found, wanted, "stretch" if aligned else "crop").apply(pixels)


def _bounded(pixels: Pixels, wanted: Size) -> Pixels:
    """As it is, unless its longest side exceeds both FREE_SIDE and the size wanted."""
    own, most = _size(pixels), max(FREE_SIDE, wanted.width, wanted.height)
    scale = most / max(own.width, own.height)
    if scale >= 1:
        return pixels
    return resize(pixels, Size(max(1, round(own.width * scale)), max(1, round(own.height * scale))))


def _size(pixels: Pixels) -> Size:
    return Size(pixels.shape[1], pixels.shape[0])


def _frozen(array: _Array) -> _Array:
    array.setflags(write=False)
    return array
