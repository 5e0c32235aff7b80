"""Which gear a shape is made in, without a model."""

from __future__ import annotations

import pytest

from tollbrush.engines.diffusion.gears import Gear, Gears, attentions, reason
from tollbrush.engines.diffusion.model import Tuning
from tollbrush.errors import BadSettings


def four() -> tuple[Gears, list[Gear], list[str]]:
    """Two attentions, compiled and eagerly, and what is told of them."""
    ways = [Gear(backend, compiled) for compiled in (True, False) for backend in ("_native_cudnn", "native")]
    gears, told = Gears(object(), ways, "cpu"), list[str]()
    gears.told = told.append
    return gears, ways, told


def test_after_the_warm_up_no_gear_is_taken_that_was_never_compiled() -> None:
    gears, ways, told = four()
    gears.warming = True
    assert gears.of("warm") == tuple(ways)
    gears.serves("warm", ways[1], "no plan")
    gears.serves("other", ways[2], "no compiler")
    gears.warming = False
    assert gears.of("warm") == tuple(ways[1:])
    assert gears.of("new") == tuple(ways[2:])
    gears.serves("warm", ways[3], "no plan")
    assert (gears.of("warm"), gears.of("other")) == ((ways[3],), tuple(ways[2:]))
    assert told[-1] == "attention native, compiled blocks failed (no plan); it runs with attention native instead."
    fresh, ways, _ = four()
    assert (fresh.of("new"), fresh.best) == (tuple(ways[2:]), ways[2])


def test_a_failure_after_the_warm_up_is_the_shapes_own_until_several_have_failed() -> None:
    gears, ways, told = four()
    gears.warming = True
    gears.serves("warm", ways[0], "")
    gears.warming = False
    cold = (ways[0], *ways[2:])
    for number, shape in enumerate(("one", "two", "three")):
        assert (gears.of(shape), len(told)) == (cold, number)
        gears.serves(shape, ways[2], "no plan")
        assert gears.of(shape) == tuple(ways[2:])
    assert (gears.of("four"), gears.of("warm"), gears.best) == (tuple(ways[2:]), cold, ways[0])


@pytest.mark.parametrize("warm", [True, False])
def test_calls_beside_each_other_never_shift_back_and_tell_once(warm: bool) -> None:
    gears, ways, told = four()
    gears.warming = warm
    gears.serves("one", ways[2], "no plan")
    gears.warming = False
    told.clear()
    gears.serves("one", ways[3], "no kernel")
    for late, why in ((ways[3], "no kernel"), (ways[2], "no plan"), (ways[0], "")):
        gears.serves("one", late, why)
        assert gears.of("one") == (ways[3],)
    assert told == ["attention _native_cudnn failed (no kernel); it runs with attention native instead."]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("one\nand two", "RuntimeError: one"),
        ("", "RuntimeError: no word"),
        ("a" * 201, f"RuntimeError: {'a' * 200}…"),
        ("expected a float, but got Tensor(1) instead", "RuntimeError: expected a float, but got Tensor(1) instead"),
        (
            "when making fake tensor call\n call(*()): got RuntimeError('No kernel.')\n Hint",
            "RuntimeError('No kernel.')",
        ),
    ],
)
def test_a_reason_is_one_line_and_the_first_one(words: str, said: str) -> None:
    assert reason(RuntimeError(words)) == said


def test_a_backend_that_nobody_knows_is_a_mistake_of_the_settings() -> None:
    pytest.importorskip("diffusers")
    with pytest.raises(BadSettings, match=r"attention is 'flsh'; diffusers knows .*flash.*native") as refused:
        attentions_of("flsh")
    assert "Leave it out" in refused.value.sentence()


def test_who_wants_torchs_own_attention_gets_no_other_and_else_it_is_the_last() -> None:
    """A device that died of another one is told so."""
    pytest.importorskip("diffusers")
    wanted = Tuning().plainer().attention
    assert wanted is not None
    assert (attentions_of(wanted), attentions_of("Native")) == (("native",), ("native",))
    assert attentions_of("SAGE") == ("sage", "_native_cudnn", "native")
    assert attentions_of("_native_cudnn") == ("_native_cudnn", "native")


def attentions_of(wanted: str) -> tuple[str, ...]:
    from tollbrush.engines.diffusion.adapters import ADAPTERS

    return attentions(ADAPTERS["ZImagePipeline"], (9, 0), wanted)
