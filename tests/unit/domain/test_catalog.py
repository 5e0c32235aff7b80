from decimal import Decimal

import pytest

from tollbrush.domain.catalog import GPT_IMAGE_1, MODELS, STUDIO, Catalog
from tollbrush.domain.edits import Size
from tollbrush.errors import BadRequest, ModelUnavailable, UnknownModel, UnsupportedParameter

EVERYTHING = Catalog.build(frozenset(m.id for m in MODELS))
STUDIO_ONLY = Catalog.build(frozenset({STUDIO}))


@pytest.mark.parametrize(
    ("model", "size", "atomic"),
    [
        ("openai/gpt-image-1", "1024x1024", 21_000),
        ("openai/gpt-image-1", "1536x1024", 42_000),
        ("openai/gpt-image-1", "1024x1536", 42_000),
        ("openai/gpt-image-2", "1024x1024", 63_000),
        ("openai/gpt-image-2", "1536x1024", 126_000),
        ("google/nano-banana", "1024x1024", 52_500),
        ("google/nano-banana-pro", "2048x2048", 105_000),
        ("google/nano-banana-pro", "4096x4096", 157_500),
        ("tollbrush/studio", "64x64", 2_100),
        ("tollbrush/studio", "1500x1000", 2_100),
        ("tollbrush/studio", "1501x1000", 5_250),
        ("tollbrush/studio", "4096x4096", 5_250),
    ],
)
def test_prices(model: str, size: str, atomic: int) -> None:
    assert EVERYTHING.price(EVERYTHING.find(model), Size.parse(size)).atomic == atomic


@pytest.mark.parametrize(
    ("alias", "model"),
    [("gpt-image", GPT_IMAGE_1), ("gpt-image-1", GPT_IMAGE_1), ("gpt-image-2", "openai/gpt-image-2"),
     ("nano-banana", "google/nano-banana"), ("nano-banana-pro", "google/nano-banana-pro"), ("studio", STUDIO)],
)  # fmt: skip
def test_aliases(alias: str, model: str) -> None:
    assert EVERYTHING.find(alias).id == model


def test_unknown_model_lists_the_known() -> None:
    with pytest.raises(UnknownModel, match=r"dall-e-9.*openai/gpt-image-1"):
        EVERYTHING.find("dall-e-9")


@pytest.mark.parametrize(
    ("model", "size"), [(GPT_IMAGE_1, "512x512"), (STUDIO, "63x64"), (STUDIO, "4097x64"), (GPT_IMAGE_1, "1x99999")]
)
def test_sizes_not_offered(model: str, size: str) -> None:
    with pytest.raises(BadRequest, match=size):
        EVERYTHING.price(EVERYTHING.find(model), Size.parse(size))


def test_default_model_is_the_first_that_is_there() -> None:
    assert EVERYTHING.default.id == GPT_IMAGE_1
    assert STUDIO_ONLY.default.id == STUDIO


def test_unavailable_names_what_is_there() -> None:
    with pytest.raises(ModelUnavailable, match="available: tollbrush/studio"):
        STUDIO_ONLY.require_available(STUDIO_ONLY.find("gpt-image"))


def test_abilities() -> None:
    nano = EVERYTHING.find("nano-banana")
    with pytest.raises(UnsupportedParameter) as refused:
        EVERYTHING.check_abilities(nano, masked=True, sources=1)
    assert "openai/gpt-image-1" in refused.value.hint
    with pytest.raises(UnsupportedParameter, match="at most 3"):
        EVERYTHING.check_abilities(nano, masked=False, sources=4)
    with pytest.raises(UnsupportedParameter, match="one image"):
        EVERYTHING.check_abilities(EVERYTHING.find("gpt-image"), masked=True, sources=2)
    EVERYTHING.check_abilities(EVERYTHING.find("gpt-image"), masked=False, sources=4)


@pytest.mark.parametrize(
    ("source", "nearest"),
    [("3000x2000", "1536x1024"), ("2000x3000", "1024x1536"), ("700x690", "1024x1024"), ("9000x100", "1536x1024")],
)
def test_auto_takes_the_nearest_aspect(source: str, nearest: str) -> None:
    assert str(EVERYTHING.find("gpt-image").sizes.nearest(Size.parse(source))) == nearest


def test_auto_keeps_the_size_where_any_goes() -> None:
    assert EVERYTHING.find("studio").sizes.nearest(Size(777, 555)) == Size(777, 555)
    with pytest.raises(BadRequest, match="5000x10"):
        EVERYTHING.find("studio").sizes.nearest(Size(5000, 10))


def test_margin_and_base_prices_are_settings() -> None:
    own = Catalog.build(frozenset({STUDIO}), margin=Decimal(0), overrides={STUDIO: {"1024x1024": Decimal("0.01")}})
    assert own.price(own.find("studio"), Size(1024, 1024)).atomic == 10_000
    assert own.price(own.find("studio"), Size(1024, 1023)).atomic == 2_000
