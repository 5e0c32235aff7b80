"""The edit and quote requests: named fields ⇄ domain values. JSON and multipart share every rule.

Fields are checked here; pictures stay as they came until `EditForm.decoded`, because a bad size or model should be
told before megabytes are decoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from tollbrush.domain.edits import (
    BACKGROUNDS,
    FITS,
    MASK_MODES,
    MAX_N,
    MAX_PREVIEWS,
    MAX_SEED,
    OUTPUT_FORMATS,
    QUALITIES,
    EditRequest,
    Fit,
    MaskMode,
    OutputFormat,
    Size,
    check_choice,
    check_int,
    check_prompt,
    parse_size,
)
from tollbrush.errors import BadImage, BadRequest, Detail, UnsupportedParameter
from tollbrush.wire import datauri
from tollbrush.wire.multipart import Form

EDIT_FIELDS: Final = (
    "model", "prompt", "image", "mask", "size", "n", "seed", "fit", "mask_mode", "output_format", "quality",
    "background", "previews",
)  # fmt: skip
QUOTE_FIELDS: Final = ("model", "size", "n", "width", "height", "masked", "prompt", "quality", "background")
DEFAULT_SIZE: Final = "1024x1024"
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True)
class EditForm:
    """Checked fields, with the pictures as they came: data URI text or raw bytes."""

    fields: EditRequest
    images: tuple[str | bytes, ...]
    mask: str | bytes | None

    def decoded(self, *, max_bytes: int) -> EditRequest:
        """The whole request. Raises BadImage, BadMask."""
        names = ["image"] if len(self.images) == 1 else [f"image[{i}]" for i in range(len(self.images))]
        sources = tuple(_picture(image, name, max_bytes) for image, name in zip(self.images, names, strict=True))
        mask = None if self.mask is None else _picture(self.mask, "mask", max_bytes)
        return replace(self.fields, sources=sources, mask=mask)


@dataclass(frozen=True)
class QuoteForm:
    """What a price is asked for: no pictures, only `source`, their size, when the caller gave it."""

    fields: EditRequest
    source: Size | None
    masked: bool


def read(body: Form | Mapping[str, Any]) -> EditForm:
    """From a form or a JSON object. Raises BadRequest."""
    return read_edit_form(body) if isinstance(body, Form) else read_edit(body)


def read_edit(fields: Mapping[str, Any]) -> EditForm:
    """From a JSON object. `image` is a data URI or a list of them. Raises BadRequest."""
    given = _known(fields, EDIT_FIELDS)
    images = given.pop("image", None)
    mask = given.pop("mask", None)
    if images is None:
        raise BadRequest("image is required: a data URI, or a list of them.", path="image")
    listed = images if isinstance(images, list) else [images]
    if not listed or not all(isinstance(i, str) for i in listed):
        raise BadRequest("image must be a data URI, or a list of at least one.", path="image")
    if mask is not None and not isinstance(mask, str):
        raise BadRequest("mask must be a data URI.", path="mask")
    return EditForm(_edit_fields(given), tuple(listed), mask)


def read_edit_form(form: Form) -> EditForm:
    """From multipart: files `image` or repeated `image[]`, and `mask`; a data URI in a text field works too."""
    fields: dict[str, Any] = dict(form.fields)
    images: list[str | bytes] = [f.data for f in form.files if f.name in ("image", "image[]")]
    masks: list[str | bytes] = [f.data for f in form.files if f.name == "mask"]
    for file in form.files:
        if file.name not in ("image", "image[]", "mask"):
            raise _unknown(file.name, EDIT_FIELDS)
    images += [fields.pop(name) for name in ("image", "image[]") if name in fields]
    masks += [fields.pop("mask")] if "mask" in fields else []
    if not images:
        raise BadRequest("image is required: a file part named image.", path="image")
    if len(masks) > 1:
        raise BadRequest(f"{len(masks)} masks came; send one.", path="mask")
    given = _known(fields, EDIT_FIELDS)
    for name in ("n", "seed", "previews"):
        if name in given and _INTEGER.fullmatch(given[name]):
            given[name] = int(given[name])
    return EditForm(_edit_fields(given), tuple(images), masks[0] if masks else None)


def read_quote(fields: Mapping[str, Any]) -> QuoteForm:
    """From a JSON object; `prompt` is optional here. Raises BadRequest."""
    given = _known(fields, QUOTE_FIELDS)
    masked = given.pop("masked", False)
    if not isinstance(masked, bool):
        raise BadRequest("masked must be true or false.", path="masked")
    sides = [given.pop(name, None) for name in ("width", "height")]
    if (sides[0] is None) != (sides[1] is None):
        raise BadRequest("width and height go together: the picture's size in pixels.", path="width")
    source = None
    if sides[0] is not None:
        source = Size(check_int(sides[0], "width", 1, 99_999), check_int(sides[1], "height", 1, 99_999))
    return QuoteForm(_edit_fields(given, prompt_required=False), source, masked)


def _edit_fields(given: Mapping[str, Any], *, prompt_required: bool = True) -> EditRequest:
    prompt = given.get("prompt")
    size = given.get("size", DEFAULT_SIZE)
    if not isinstance(size, str):
        raise BadRequest("size must be text such as 1024x1024, or auto.", path="size")
    model = given.get("model")
    if model is not None and not isinstance(model, str):
        raise BadRequest("model must be text.", path="model")
    return EditRequest(
        model=model,
        prompt="" if prompt is None and not prompt_required else check_prompt(prompt),
        sources=(),
        size=parse_size(size),
        n=check_int(given.get("n", 1), "n", 1, MAX_N),
        seed=check_int(given["seed"], "seed", 0, MAX_SEED) if "seed" in given else None,
        fit=cast(Fit, check_choice(given["fit"], "fit", FITS)) if "fit" in given else None,
        mask_mode=cast(MaskMode, check_choice(given.get("mask_mode", "auto"), "mask_mode", MASK_MODES)),
        output_format=(
            cast(OutputFormat, check_choice(given["output_format"], "output_format", OUTPUT_FORMATS))
            if "output_format" in given
            else None
        ),
        quality=_chosen(given, "quality", QUALITIES),
        background=_chosen(given, "background", BACKGROUNDS),
        previews=check_int(given.get("previews", 0), "previews", 0, MAX_PREVIEWS),
    )


def _chosen(given: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str | None:
    """None is the model's own choice, which callers call `auto`."""
    value = check_choice(given.get(name, "auto"), name, (*choices, "auto"))
    return None if value == "auto" else value


def _known(fields: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """The fields that were given (null means omitted). Nothing unknown is silently ignored."""
    strange = [name for name in fields if name not in known]
    if strange:
        raise _unknown(strange[0], known)
    return {name: value for name, value in fields.items() if value is not None}


def _unknown(name: str, known: tuple[str, ...]) -> UnsupportedParameter:
    shown = name[:60]
    message = f"parameter {shown!r} is not supported."
    return UnsupportedParameter(
        message, path=shown, details=(Detail(shown, message),), advice=f"Supported: {', '.join(known)}."
    )


def _picture(value: str | bytes, path: str, max_bytes: int) -> bytes:
    if isinstance(value, str):
        if value[:8].lower().startswith(("http://", "https://")):
            advice = "Send the picture's bytes as a data URI or a file."
            raise BadImage(f"{path} is a URL, and this gateway fetches nothing.", path=path, advice=advice)
        return datauri.decode(value, path=path, max_bytes=max_bytes)
    if not value:
        raise BadImage(f"{path} is an empty file.", path=path)
    if len(value) > max_bytes:
        raise BadImage(f"{path} has {len(value):,} bytes; at most {max_bytes:,}.", path=path)
    return value
