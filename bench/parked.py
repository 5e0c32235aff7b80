"""What a gateway holds in memory while 64 edits wait for a slow upstream, against the bytes that came in."""

from __future__ import annotations

import base64
import io
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
from PIL import Image

from bench.measure import Row
from bench.shop import FIELDS, PATH, Bench, opened
from tollbrush.editing.shelf import PATIENCE

PARKED = 64
WAYS = ("multipart", "JSON", "four sources", "masked")
SETTLED = 4 * PATIENCE
"""Seconds after which everything that can wait elsewhere does."""

Body = tuple[bytes, str]
"""With its content type."""


def run() -> list[Row]:
    return [row for way in WAYS for row in _fresh(way)]


def _fresh(way: str) -> list[Row]:
    """By a gateway of its own: what an allocator keeps of one way would lie in the next one's favour."""
    with opened() as bench, httpx2.Client() as http:
        for headers in bench.headers(http, 8):  # what a first edit loads stays loaded
            bench.request(http, headers).raise_for_status()
        rest = bench.memory()
        rows = _parked(bench, http, way, _body(way, bench.picture), rest)
        return [Row(f"MiB at rest, {way}", rest / 2**20), *rows]


def _body(way: str, picture: bytes) -> Body:
    """The mask is the photograph with a hole, as OpenAI's examples have it."""
    if way == "JSON":
        uri = b"data:image/png;base64," + base64.b64encode(picture)
        fields = ", ".join(f'"{name}": "{value}"' for name, value in FIELDS.items()).encode()
        return b'{"image": "%s", %s}' % (uri, fields), "application/json"
    if way == "masked":
        return _form(image=[picture], mask=[_holed(picture)])
    return _form(image=[picture] * (4 if way == "four sources" else 1))


def _form(**files: list[bytes]) -> Body:
    listed = [(name, (name, data, "image/png")) for name, each in files.items() for data in each]
    made = httpx2.Request("POST", "http://nowhere", data=FIELDS, files=listed)
    return made.read(), made.headers["content-type"]


def _holed(picture: bytes) -> bytes:
    image = Image.open(io.BytesIO(picture)).convert("RGBA")
    image.paste((0, 0, 0, 0), (300, 300, 700, 700))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _parked(bench: Bench, http: httpx2.Client, name: str, body: Body, rest: int) -> list[Row]:
    """Bytes more than at rest: once all have been sent on, and when they have waited."""
    content, kind = body

    def send(client: httpx2.Client, headers: dict[str, str]) -> httpx2.Response:
        return client.post(
            bench.shop.url + PATH, content=content, headers={**headers, "Content-Type": kind}, timeout=300
        )

    headers = bench.headers(http, PARKED)
    httpx2.post(f"{bench.upstream}/hold").raise_for_status()
    with ThreadPoolExecutor(PARKED) as pool, httpx2.Client(limits=httpx2.Limits(max_connections=PARKED)) as many:
        answers = [pool.submit(send, many, each) for each in headers]
        while httpx2.get(f"{bench.upstream}/held").json() < PARKED:
            failed = [a.result() for a in answers if a.done()]
            assert not failed, failed[0].text
            time.sleep(0.2)
        sent = bench.memory() - rest
        time.sleep(SETTLED)
        waited = bench.memory() - rest
        httpx2.post(f"{bench.upstream}/release").raise_for_status()
        for answer in answers:
            answer.result().raise_for_status()
    whole = PARKED * len(content)
    print(f"{name}: {PARKED} bodies of {len(content):,} bytes: {sent / 2**20:.0f}, then {waited / 2**20:.0f} MiB more.")
    return [
        Row(f"bytes parked a body byte, {name}, when sent", max(0.0, sent) / whole),
        Row(f"the same, {name}, {SETTLED:.0f} s later", max(0.0, waited) / whole),
    ]
