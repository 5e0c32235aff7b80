"""Words on a picture: every letter of Latin, Greek and Cyrillic, and a refusal that names any other."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from tollbrush.engines.studio.plans.treatments import Write
from tollbrush.engines.studio.retouch.lettering import written
from tollbrush.errors import CannotHonour

_GROUND = np.full((240, 640, 3), 90, np.uint8)


@pytest.mark.parametrize("text", ["Übergröße", "Žluťoučký kůň", "Señor Ñandú ¿qué?", "Łódź 5 €", "Привет", "Ελλάδα"])
def test_accented_letters_are_written(text: str) -> None:
    assert (written(_GROUND, Write(text)) != written(_GROUND, Write(text[:-1]))).any()


def test_an_accent_typed_apart_is_the_same_letter() -> None:
    together, apart = (unicodedata.normalize(form, "Café") for form in ("NFC", "NFD"))
    assert together != apart
    assert (written(_GROUND, Write(together)) == written(_GROUND, Write(apart))).all()


@pytest.mark.parametrize("text", ["你好", "Grüße 🎉", "שלום"])
def test_letters_that_the_font_lacks_are_named(text: str) -> None:
    with pytest.raises(CannotHonour, match="cannot write the letters") as refused:
        written(_GROUND, Write(text))
    assert "Latin" in refused.value.hint
