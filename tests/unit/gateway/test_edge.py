"""What bounds callers before any work: rates per address, memory shared by bodies."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tollbrush.errors import BadRequest, RateLimited, TooLarge, Unavailable
from tollbrush.gateway import throttle
from tollbrush.gateway.edge import Bodies, Share, read_body
from tollbrush.gateway.throttle import Throttle, caller


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def from_address(host: str) -> Request:
    return Request({"type": "http", "client": (host, 1), "headers": []})


async def allowed(throttled: Throttle, host: str) -> bool:
    try:
        await throttled.post(from_address(host))
    except RateLimited:
        return False
    return True


def make(per_minute: int, clock: Clock) -> Throttle:
    async def handler(request: Request) -> Response:
        return Response()

    return Throttle(handler, per_minute=per_minute, clock=clock)


async def test_a_minutes_worth_may_come_at_once_and_then_at_the_rate() -> None:
    clock = Clock()
    throttled = make(6, clock)
    assert [await allowed(throttled, "10.0.0.1") for _ in range(8)] == [True] * 6 + [False] * 2
    assert await allowed(throttled, "10.0.0.2")
    with pytest.raises(RateLimited) as refused:
        await throttled.post(from_address("10.0.0.1"))
    assert (refused.value.retry_after, refused.value.source) == (10, "gateway")
    clock.now += 9
    assert not await allowed(throttled, "10.0.0.1")
    clock.now += 1
    assert [await allowed(throttled, "10.0.0.1") for _ in range(2)] == [True, False]
    clock.now += 60
    assert [await allowed(throttled, "10.0.0.1") for _ in range(7)] == [True] * 6 + [False]


async def test_no_number_of_addresses_takes_more_than_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_ADDRESSES", 100)
    throttled = make(1, Clock())
    for i in range(1000):
        assert await allowed(throttled, f"10.0.{i // 250}.{i % 250}")
    assert len(throttled._paid_until) == 100
    assert not await allowed(throttled, "10.0.3.249")


@pytest.mark.parametrize(
    ("host", "stands_for"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_whom_an_address_stands_for(host: str, stands_for: str) -> None:
    assert caller(host) == stands_for


def upload(chunks: Sequence[bytes], *, declared: int | None = None, ends: bool = True) -> Request:
    """A request whose body comes in chunks, and then ends, breaks off (None), or never does."""
    left = list(chunks)

    async def receive() -> dict[str, object]:
        if left:
            chunk = left.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(left) or not ends}
        await asyncio.Event().wait()
        raise AssertionError

    headers = [] if declared is None else [(b"content-length", str(declared).encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


async def read(request: Request, share: Share, seconds: float = 5) -> bytes:
    return await read_body(request, limit=100, seconds=seconds, share=share)


async def test_bodies_share_their_memory() -> None:
    bodies = Bodies(150)
    first, second, third = Share(bodies), Share(bodies), Share(bodies)
    assert await read(upload([b"a" * 60, b"b" * 40]), first) == b"a" * 60 + b"b" * 40
    with pytest.raises(Unavailable) as refused:  # declared: refused before a byte of it is read
        await read(upload([], declared=60, ends=False), second)
    assert refused.value.retry_after > 0
    with pytest.raises(Unavailable):  # not declared: as it grows
        await read(upload([b"c" * 40, b"c" * 20]), second)
    second.release()
    assert await read(upload([b"d" * 50]), third) == b"d" * 50
    first.release()
    first.release()
    assert await read(upload([b"e" * 100], declared=100), second) == b"e" * 100
    with pytest.raises(Unavailable):
        bodies.check_room(1)


async def test_what_is_declared_and_never_sent_books_nothing() -> None:
    bodies = Bodies(100)
    waiting = [asyncio.create_task(read(upload([], declared=100, ends=False), Share(bodies))) for _ in range(10)]
    await asyncio.sleep(0)
    assert await read(upload([b"x" * 100], declared=100), Share(bodies)) == b"x" * 100
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_jobs_pictures_count_as_long_as_they_live() -> None:
    class Order:
        pass

    bodies, order = Bodies(100), Order()
    share = Share(bodies)
    await read(upload([b"x" * 100]), share)
    share.live_with(order)
    share.release()
    with pytest.raises(Unavailable):
        bodies.check_room(1)
    del order
    gc.collect()
    bodies.check_room(100)


async def test_bodies_that_are_too_large_or_late() -> None:
    share = Share(Bodies(1000))
    with pytest.raises(TooLarge):
        await read(upload([], declared=101, ends=False), share)
    with pytest.raises(TooLarge):
        await read(upload([b"x" * 60, b"x" * 60]), share)
    with pytest.raises(BadRequest, match=r"within 0\.01 s"):
        await read(upload([b"x"], ends=False), share, seconds=0.01)


class Picture:
    """Something that a share can live with."""


def test_what_a_body_holds_is_given_back_once_however_it_ends() -> None:
    bodies = Bodies(100)
    share = Share(bodies)
    share.grow(90)
    share.shrink(30)
    Share(bodies).grow(70)
    with pytest.raises(Unavailable):
        bodies.check_room(1)
    share.shrink(60)  # it is no more than that already
    with pytest.raises(Unavailable):
        bodies.check_room(1)
    picture = Picture()
    share.live_with(picture)
    share.release()  # the request is over, its pictures are not
    with pytest.raises(Unavailable):
        bodies.check_room(1)
    del picture
    gc.collect()
    bodies.check_room(30)
    share.shrink(0)
    share.release()
    with pytest.raises(Unavailable):
        bodies.check_room(31)
