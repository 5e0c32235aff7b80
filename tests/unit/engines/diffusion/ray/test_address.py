from __future__ import annotations

import pytest

from tollbrush.engines.diffusion.ray.address import base_url
from tollbrush.errors import BadSettings


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("ray://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("ray://gpu-head.internal", "http://gpu-head.internal:8000"),
        ("ray://[fd00::7]:9000/", "http://[fd00::7]:9000"),
    ],
)
def test_a_proxys_address(address: str, url: str) -> None:
    assert base_url(address) == url


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1:8000", "http://127.0.0.1:8000", "ray://", "ray://:8000", "ray://h:0", "ray://h:x", "ray://h:70000",
     "ray://u:p@h:8000", "ray://h:8000/path", "ray://h:8000?x=1", "ray://[::1"],
)  # fmt: skip
def test_what_is_none_is_told_at_start(address: str) -> None:
    with pytest.raises(BadSettings, match="no address of a Ray cluster") as told:
        base_url(address)
    assert "ray://HOST:PORT" in told.value.hint
