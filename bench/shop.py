"""A gateway in its own process with local chains, as the tests have it, in front of a fake image API."""

from __future__ import annotations

import base64
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import msgspec
import numpy as np
from PIL import Image
from skimage import data

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from support.servers import free_port, running
from support.shop import Buyer, Shop, offer, open_shop, payment_header

BASE = "eip155:84532"
PATH = "/v1/images/image2image"
FIELDS = {"prompt": "make it blue", "model": "openai/gpt-image-1", "size": "1024x1024"}


@dataclass(frozen=True)
class Bench:
    """`picture` is what is edited, an 1024² PNG; `upstream` the fake API's base."""

    shop: Shop
    buyer: Buyer
    upstream: str
    picture: bytes

    def request(self, http: httpx2.Client, headers: dict[str, str] | None = None) -> httpx2.Response:
        """Multipart, as curl sends it."""
        files = {"image": ("photo.png", self.picture, "image/png")}
        return http.post(self.shop.url + PATH, data=FIELDS, files=files, headers=headers, timeout=300)

    def headers(self, http: httpx2.Client, count: int) -> list[dict[str, str]]:
        """So many payments, signed in advance."""
        entry = offer(self.request(http), BASE)
        return [{"X-Payment": payment_header(self.shop, self.buyer, entry)} for _ in range(count)]

    def direct(self, http: httpx2.Client) -> httpx2.Response:
        """The same edit, asked of the fake API itself."""
        fields = {"prompt": FIELDS["prompt"], "model": "gpt-image-1", "size": "1024x1024", "n": "1"}
        files = {"image[]": ("photo.png", self.picture, "image/png")}
        return http.post(f"{self.upstream}/v1/images/edits", data=fields, files=files, timeout=300)

    def cpu_seconds(self) -> float:
        """What the gateway's process has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Bytes of the gateway's process that are its own."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("smaps_rollup has no Pss")

    @property
    def pid(self) -> int:
        return self.shop.processes[0].pid


@contextmanager
def fake_upstream(folder: Path, answer: bytes) -> Iterator[str]:
    """The address of a fake image API, and facilitator, in a process of its own."""
    port = free_port()
    (folder / "answer").write_bytes(answer)
    url, command = f"http://127.0.0.1:{port}", ["bench.slow_upstream", str(port), str(folder / "answer")]
    with running(command, url + "/held", log=folder / "upstream.log", cwd=Path(__file__).parents[1]):
        yield url


@contextmanager
def opened(**env: str) -> Iterator[Bench]:
    pixels = np.asarray(Image.fromarray(data.astronaut()).resize((1024, 1024), Image.Resampling.LANCZOS))
    picture, answer = _png(pixels), _png(255 - pixels)
    body = msgspec.json.encode({"created": 1, "data": [{"b64_json": base64.b64encode(answer).decode()}]})
    with tempfile.TemporaryDirectory() as name, fake_upstream(Path(name), body) as upstream:
        settings = {
            "TOLLBRUSH_ENGINES__OPENAI__BASE_URL": upstream + "/v1",
            "TOLLBRUSH_ENGINES__STUDIO__ENABLED": "false",
            "TOLLBRUSH_GATEWAY__INLINE_SECONDS": "200",
            "TOLLBRUSH_GATEWAY__LIMITS__OPEN_PER_PAYER": "1000",
            "TOLLBRUSH_GATEWAY__LIMITS__EDITS_PER_MINUTE": "100000",
        }
        with open_shop(Path(name), **settings, **env) as shop:
            yield Bench(shop, shop.buyer(), upstream, picture)


def _png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()
