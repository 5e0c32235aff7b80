"""The operator's own models: rows of the catalog from settings, or an error that says what to change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tollbrush.domain.edits import Size
from tollbrush.engines import registry
from tollbrush.engines.interface import Engine
from tollbrush.errors import BadSettings
from tollbrush.settings import Settings

VLLM = {"url": "http://127.0.0.1:8000/v1", "profile": "vllm-omni"}
SGLANG = {"url": "http://127.0.0.1:8001/v1", "profile": "sglang"}
QWEN = {
    "upstream": "Qwen/Qwen-Image-Edit-2511", "sizes": {"1024x1024": "0.01", "512x512": "0.004"}, "mask": True,
    "licence": "Apache-2.0", "upstreams": [VLLM], "aliases": ["qwen-edit"],
}  # fmt: skip


def settings(openai: dict[str, Any] | None = None, **models: dict[str, Any]) -> Settings:
    own = {name.replace("__", "/").replace("_", "-"): model for name, model in models.items()}
    engines = {"studio": {"enabled": False}, "openai": openai or {}}
    return Settings.model_validate({"engines": engines, "models": own})


def engine_of(chosen: Settings) -> Engine:
    (engine,) = registry.build(chosen)
    return engine


def refusal(chosen: Settings) -> str:
    with pytest.raises(BadSettings) as raised:
        registry.catalog(registry.build(chosen), chosen)
    return raised.value.sentence()


def test_a_size_that_no_server_would_make_for_its_price_is_refused() -> None:
    said = refusal(settings(acme__qwen_edit={**QWEN, "upstreams": [{**VLLM, "price": "0.005"}]}))
    assert "a 512x512 is sold for $0.0042" in said
    assert "$0.005 at the cheapest" in said


def test_a_mask_that_costs_more_than_it_is_sold_for_is_refused() -> None:
    cheap = {**SGLANG, "price": "0.001"}
    said = refusal(settings(acme__qwen_edit={**QWEN, "upstreams": [cheap, {**VLLM, "price": "0.005"}]}))
    assert "a 512x512 with a mask is sold for $0.0042" in said


def test_where_google_is_must_be_an_address() -> None:
    google = {"api_key": "k", "base_url": "ftp://example"}
    wrong = Settings.model_validate({"engines": {"studio": {"enabled": False}, "google": google}})
    assert "engines.google" in refusal(wrong)


def test_a_model_of_ones_own_is_sold() -> None:
    chosen = settings(acme__qwen_edit=QWEN)
    engine = engine_of(chosen)
    catalog = registry.catalog([engine], chosen)
    row = catalog.find("qwen-edit")
    assert (row.id, row.provider, row.licence, row.mask, row.available) == (
        "acme/qwen-edit", "acme", "Apache-2.0", True, True,
    )  # fmt: skip
    assert str(catalog.price(row, Size(512, 512))) == "$0.0042"
    assert catalog.default is row  # nothing else is for sale here
    assert not catalog.find("gpt-image-1").available
    caps = engine.capabilities(row.upstream)
    assert caps.fixed_sizes == (Size(1024, 1024), Size(512, 512))
    assert (caps.masks, caps.seed, caps.remote, caps.previews) == (True, True, True, 0)


def test_openai_and_ones_own_side_by_side() -> None:
    chosen = settings({"api_key": "sk-x"}, acme__qwen_edit=QWEN)
    catalog = registry.catalog(registry.build(chosen), chosen)
    assert [m.id for m in catalog.models.values() if m.available] == [
        "openai/gpt-image-1", "openai/gpt-image-2", "acme/qwen-edit",
    ]  # fmt: skip
    assert catalog.default.id == "openai/gpt-image-1"


def test_what_no_server_honours_is_not_sold() -> None:
    chosen = settings({"upstreams": [SGLANG]}, acme__plain={**QWEN, "mask": False, "upstreams": [], "aliases": []})
    catalog = registry.catalog(registry.build(chosen), chosen)
    assert not catalog.find("gpt-image-1").mask
    assert catalog.find("acme/plain").available  # where OpenAI's models are
    mixed = settings({"upstreams": [SGLANG, VLLM]})
    assert registry.catalog(registry.build(mixed), mixed).find("gpt-image-1").mask


def test_prices_and_disabled_models_know_ones_own() -> None:
    chosen = settings(acme__qwen_edit=QWEN).model_copy(
        update={"prices": {"acme/qwen-edit": {"512x512": Decimal("0.1")}}, "disabled_models": ("acme/qwen-edit",)}
    )
    catalog = registry.catalog(registry.build(chosen), chosen)
    row = catalog.find("acme/qwen-edit")
    assert not row.available
    assert str(catalog.price(row, Size(512, 512))) == "$0.105"


@pytest.mark.parametrize(
    ("change", "words"),
    [({"sizes": {}}, "sizes is empty"), ({"sizes": {"big": "1"}}, "'big' is not WIDTHxHEIGHT"),
     ({"licence": " "}, "licence is empty"), ({"upstreams": []}, "nothing serves it"),
     ({"upstreams": [SGLANG]}, "mask is true, and none of its upstreams honours one (sglang)"),
     ({"max_sources": 9}, "max_sources is 9, and its upstreams take at most 4"),
     ({"aliases": ["studio"]}, "'studio' is taken"), ({"aliases": ["a", "a"]}, "'a' is taken"),
     ({"upstreams": [{**VLLM, "url": "localhost:8000"}]}, "must be an http(s) URL"),
     ({"upstreams": [{**VLLM, "url": "http://me:secret@host/v1"}]}, "put the key into api_key"),
     ({"upstreams": [{**VLLM, "url": "http://host/v1?key=secret"}]}, "must end before any ?"),
     ({"upstreams": [{**VLLM, "sizes": ["1x"]}]}, "'1x' is not WIDTHxHEIGHT"),
     ({"upstreams": [{**VLLM, "price": "0.5"}]}, "none is sold for more than $0.0105")],
)  # fmt: skip
def test_what_cannot_work_is_told_at_start(change: dict[str, Any], words: str) -> None:
    said = refusal(settings(acme__qwen_edit={**QWEN, **change}))
    assert words in said
    assert "acme/qwen-edit" in said
    assert "secret" not in said


@pytest.mark.parametrize("name", ["qwen", "Acme/qwen", "acme/", "openai/gpt-image-1", "a/b/c"])
def test_an_id_says_who_and_what(name: str) -> None:
    with pytest.raises(BadSettings, match=r"PROVIDER/NAME|is taken"):
        registry.build(settings(**{name: {**QWEN, "aliases": []}}))


def test_a_wrong_common_server_is_told_of_too() -> None:
    assert "engines.openai" in refusal(settings({"upstreams": [{"url": "ftp://x"}]}))
    assert "engines.openai" in refusal(settings({"api_key": "sk-x", "base_url": "api.openai.com"}))
