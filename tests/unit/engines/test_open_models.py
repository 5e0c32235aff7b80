"""Open models as the settings choose them: rows, licences, pins. No torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tollbrush.domain.catalog import MODELS
from tollbrush.engines import own_models, registry
from tollbrush.engines.diffusion import served
from tollbrush.engines.diffusion.adapters import ADAPTERS
from tollbrush.engines.diffusion.pins import Pins
from tollbrush.engines.diffusion.rows import DEFAULT, KNOWN, UNSOLD, named
from tollbrush.errors import BadMask, BadSettings
from tollbrush.settings import Settings

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OWN: dict[str, Any] = {"engine": "diffusion", "licence": "Apache-2.0", "sizes": {"512x512": "0.01"}}


def chosen(folder: Path, **changes: Any) -> Settings:
    diffusion = changes.pop("diffusion", {})
    return Settings(data_dir=folder, engines={"diffusion": diffusion, "studio": {"enabled": False}}, **changes)


def own(folder: Path, source: str = "acme/Own", licence: str = "Apache-2.0", **weights: Any) -> Settings:
    model = OWN | {"licence": licence, "weights": {"source": source} | weights}
    return chosen(folder, models={"acme/own": model})


def test_nothing_is_for_sale_until_the_operator_says_so(tmp_path: Path) -> None:
    assert own_models.rows(chosen(tmp_path)) == MODELS
    assert not served.wanted(chosen(tmp_path))
    assert registry.build(chosen(tmp_path)) == []


def test_enabled_is_the_default_model(tmp_path: Path) -> None:
    (row,) = own_models.rows(chosen(tmp_path, diffusion={"enabled": True}))[len(MODELS) :]
    assert (row.id, row.engine, row.licence) == (DEFAULT.id, "diffusion", "Apache-2.0")


def test_models_are_named_by_id_hub_id_or_alias(tmp_path: Path) -> None:
    names = ["klein", "Qwen/Qwen-Image-Edit-2509", "tongyi-mai/z-image"]
    settings = chosen(tmp_path, diffusion={"enabled": True, "models": names})
    rows = own_models.rows(settings)[len(MODELS) :]
    assert [r.id for r in rows] == [DEFAULT.id, "qwen/qwen-image-edit-2509", "tongyi-mai/z-image"]
    assert [r.source for r in served.served(settings, Pins(tmp_path))] == [
        "black-forest-labs/FLUX.2-klein-4B", "Qwen/Qwen-Image-Edit-2509", "Tongyi-MAI/Z-Image",
    ]  # fmt: skip


def test_a_built_in_name_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="'acme/nothing', which is not built in; those are: black-forest"):
        own_models.rows(chosen(tmp_path, diffusion={"enabled": True, "models": ["acme/nothing"]}))


@pytest.mark.parametrize("row", KNOWN, ids=lambda row: str(row.id))
def test_every_known_row_is_whole(row: Any, tmp_path: Path) -> None:
    assert row.pipeline in ADAPTERS
    assert own_models._ID.fullmatch(row.id)
    model, run = row.model(), row.diffusion()
    assert model.upstream == run.name == row.id
    assert run.sizes == model.sizes.listed()
    assert all(size.width % 16 == size.height % 16 == 0 for size in run.sizes)
    names = [name for other in KNOWN for name in (other.id, *other.aliases)]
    assert len(names) == len(set(names))
    assert (row.id in UNSOLD) == (row.terms.sale == "no")


@pytest.mark.parametrize("row", [row for row in KNOWN if row.terms.sale == "no"], ids=lambda row: str(row.id))
def test_a_model_that_may_not_be_sold_needs_its_name_among_the_licensed(row: Any, tmp_path: Path) -> None:
    asked = {"enabled": True, "models": [row.source]}
    with pytest.raises(BadSettings, match="may not be sold: the FLUX") as refused:
        own_models.rows(chosen(tmp_path, diffusion=asked))
    assert f'licensed = ["{row.id}"]' in refused.value.sentence()
    with pytest.raises(BadSettings, match="may not be sold"):
        own_models.rows(chosen(tmp_path, diffusion=asked, licensed=["another/model"]))
    rows = own_models.rows(chosen(tmp_path, diffusion=asked, licensed=[row.source]))
    assert rows[-1].id == row.id


def test_calling_it_apache_does_not_make_it_so(tmp_path: Path) -> None:
    for source in ("black-forest-labs/FLUX.1-dev", "BLACK-FOREST-LABS/flux.1-kontext-DEV"):
        with pytest.raises(BadSettings, match=r"acme/own may not be sold: the FLUX.1 \[dev\] Non-Commercial"):
            own_models.rows(own(tmp_path, source))
    with pytest.raises(BadSettings, match=r"may not be sold: the cc-by-nc-4\.0 allows non-commercial use only"):
        own_models.rows(own(tmp_path, licence="cc-by-nc-4.0"))


@pytest.mark.parametrize(
    "card",
    ["license: cc-by-nc-4.0\n", "tags:\n- x\nlicense: other\nlicense_name: flux-1-dev-non-commercial-license\n"],
)
def test_a_folder_is_judged_by_its_own_card(tmp_path: Path, card: str) -> None:
    (tmp_path / "README.md").write_text(f"---\n{card}---\n# A model\n")
    with pytest.raises(BadSettings, match="may not be sold"):
        own_models.rows(own(tmp_path, str(tmp_path)))
    (tmp_path / "README.md").write_text(f"---\nlicense: mit\n---\nIt is no\n{card}")
    assert own_models.rows(own(tmp_path, str(tmp_path)))[-1].licence == "Apache-2.0"


def test_an_own_model_is_run_as_its_row_says(tmp_path: Path) -> None:
    settings = own(tmp_path, str(tmp_path), steps=8, guidance=3.5, pixels=262144, dtype="float16", batch=2)
    (run,) = served.served(settings, Pins(tmp_path))
    assert (run.name, run.folder, run.steps, run.guidance) == ("acme/own", tmp_path, 8, 3.5)
    assert (run.pixels, run.dtype, run.batch, [str(s) for s in run.sizes]) == (262144, "float16", 2, ["512x512"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [({}, "nothing says what is run"),
     ({"weights": {"source": "a/b"}, "upstreams": [{"url": "http://127.0.0.1:1"}]}, "which runs here"),
     ({"weights": {"source": "a/b"}, "engine": "openai"}, 'weights are run by engine = "diffusion"')],
)  # fmt: skip
def test_a_row_of_two_minds_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSettings, match=said):
        own_models.rows(chosen(tmp_path, models={"acme/own": OWN | changes}))


def test_a_row_without_weights_is_told_wherever_it_is_met(tmp_path: Path) -> None:
    """The gateway makes its engines before its catalog."""
    settings = chosen(tmp_path, models={"acme/own": OWN})
    for asked in (
        lambda: served.served(settings, Pins(tmp_path)),
        lambda: served.known(settings),
        lambda: served.run_of("acme/own", settings),
    ):
        with pytest.raises(BadSettings, match="nothing says what is run") as refused:
            asked()
        assert 'weights = {source = "OWNER/NAME"}' in refused.value.sentence()
    assert served.run_of("klein", settings) is not None


def test_a_size_that_is_none_is_told_with_its_model(tmp_path: Path) -> None:
    settings = chosen(tmp_path, models={"acme/own": OWN | {"weights": {"source": "a/b"}, "sizes": {"64": "0.01"}}})
    with pytest.raises(BadSettings, match=r"models\.'acme/own'\.sizes: size '64' is not WIDTHxHEIGHT") as refused:
        served.served(settings, Pins(tmp_path))
    assert '{"1024x1024" = "0.02"}' in refused.value.sentence()


def test_the_list_of_licences_says_what_a_sale_would_be_refused_for(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    ((_, terms), *_) = served.known(own(tmp_path, str(tmp_path)))
    assert terms.sale == "no"


def test_a_pin_is_kept_to_and_a_commit_in_the_settings_wins(tmp_path: Path) -> None:
    pins, other = Pins(tmp_path), "f" * 40
    pins.keep("acme/Own", None, COMMIT)
    pins.keep("acme/Own", "v2", other)
    assert [run.revision for run in served.served(own(tmp_path), Pins(tmp_path))] == [COMMIT]
    assert [run.revision for run in served.served(own(tmp_path, revision="v2"), Pins(tmp_path))] == [other]
    stated = "a" * 40
    assert [run.revision for run in served.served(own(tmp_path, revision=stated), Pins(tmp_path))] == [stated]
    settings = chosen(tmp_path, diffusion={"enabled": True, "revisions": {"klein": stated}})
    assert [run.revision for run in served.served(settings, pins)] == [stated]


def test_what_is_not_pinned_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run,) = served.served(own(tmp_path, revision="v3"), Pins(tmp_path))
    assert run.revision == "v3"
    assert "not pinned to a commit" in (told := "".join(capsys.readouterr()))
    assert "tollbrush models pull acme/own" in told


def test_a_spoilt_pin_file_is_told_not_guessed_at(tmp_path: Path) -> None:
    for spoilt in ("{", "[]", '{"a/b": {"main": "latest"}}', '{"a/b": "main"}'):
        (tmp_path / "models.json").write_text(spoilt)
        with pytest.raises(BadSettings, match="does not say which commits to run"):
            Pins(tmp_path).find("a/b", None)
    (tmp_path / "models.json").unlink()
    Pins(tmp_path).keep("a/b", None, COMMIT)
    assert json.loads((tmp_path / "models.json").read_text()) == {"a/b": {"main": COMMIT}}


def test_what_only_fills_masks_is_refused_without_one_before_any_price(tmp_path: Path) -> None:
    asked = {"enabled": True, "models": ["sdxl-inpaint", "klein"]}
    settings = chosen(tmp_path, diffusion=asked)
    catalog = registry.catalog(registry.build(settings), settings)
    with pytest.raises(BadMask, match="only fills what a mask marks"):
        catalog.check_abilities(catalog.find("sdxl-inpaint"), masked=False, sources=1)
    catalog.check_abilities(catalog.find("sdxl-inpaint"), masked=True, sources=1)
    catalog.check_abilities(catalog.find("klein"), masked=False, sources=1)
    assert catalog.find("sdxl-inpaint").licence.startswith("CreativeML Open RAIL++-M; its use restrictions bind you")


def test_a_hub_model_of_which_nothing_is_known_must_be_pulled_first(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    model = OWN | {"weights": {"source": "acme/Own"}}
    settings = chosen(tmp_path, models={"acme/own": model}, diffusion={"cache": tmp_path / "cache"})
    with pytest.raises(BadSettings) as refused:
        registry.build(settings)
    assert "acme/own" in refused.value.message
    assert "tollbrush models pull" in refused.value.hint


def test_names() -> None:
    assert named("klein") is DEFAULT
    assert named("Black-Forest-Labs/FLUX.2-klein-4B") is DEFAULT
    assert named("kleiner") is None
