"""Paying for what OpenAI's own SDK asks of a gateway.

    import openai, tollbrush

    gateway = "https://edits.example"
    client = openai.OpenAI(
        base_url=gateway + "/v1", api_key="unused", http_client=tollbrush.openai_client(gateway, max_price="0.10")
    )
    edited = client.images.edit(model="gpt-image-1", image=open("cat.png", "rb"), prompt="add a hat")

A 402 is answered by this machine's wallet, within its owner's caps. A payment belongs to one request until that is
delivered: the SDK's retries, and the same call made again after a failure, send the same payment and never a second.
What may not be paid comes back as OpenAI's PermissionDeniedError (403), which the SDK does not retry. Through a router
none of this is needed: `base_url="http://127.0.0.1:8402/v1"` pays by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from decimal import Decimal
from typing import Any, Final, TypeVar

import httpx2

from tollbrush.client.aio import _payer
from tollbrush.client.inputs import price_limit
from tollbrush.client.sync import _LOOP
from tollbrush.domain.pricing import Price
from tollbrush.errors import RateLimited, SpendingPolicy, TollbrushError, Unavailable
from tollbrush.payments.accounts import Fate
from tollbrush.payments.payer import Payer, SignedPayment
from tollbrush.payments.policy import origin_of
from tollbrush.payments.wallet import Wallet
from tollbrush.wire import openai
from tollbrush.wire.offers import read_402, read_receipt

T = TypeVar("T")
_PAID_PATH: Final = "/v1/images/edits"
_COMPLETED: Final = b"event: image_edit.completed"
_REMEMBERED: Final = 1024
"""Requests whose payment brought nothing yet."""
_TIMEOUT: Final = httpx2.Timeout(600.0, connect=10.0)


def openai_client(
    gateway: str, *, wallet: Wallet | Payer | None = None, max_price: Price | Decimal | str | None = None
) -> httpx2.Client:
    """An `http_client` for `openai.OpenAI`. `wallet`: by default this machine's; `max_price`: what one call may cost,
    in dollars. Close it, or the OpenAI client. Raises WalletLocked, BadSettings, BadRequest."""
    paying = PayingTransport(gateway, wallet, max_price)
    return httpx2.Client(transport=_BlockingTransport(paying), timeout=_TIMEOUT)


def async_openai_client(
    gateway: str, *, wallet: Wallet | Payer | None = None, max_price: Price | Decimal | str | None = None
) -> httpx2.AsyncClient:
    """An `http_client` for `openai.AsyncOpenAI`, for one event loop; else as `openai_client`."""
    return httpx2.AsyncClient(transport=PayingTransport(gateway, wallet, max_price), timeout=_TIMEOUT)


class PayingTransport(httpx2.AsyncBaseTransport):
    """Sends requests on, and pays for edits of this gateway."""

    def __init__(
        self, gateway: str, wallet: Wallet | Payer | None, max_price: Price | Decimal | str | None = None
    ) -> None:
        self._gateway, self._most = gateway, price_limit(max_price)
        self._payer = wallet if isinstance(wallet, Payer) else _payer(wallet)
        self._http = httpx2.AsyncHTTPTransport()
        self._owed: OrderedDict[str, list[SignedPayment]] = OrderedDict()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        edits = request.method == "POST" and request.url.path.endswith(_PAID_PATH)
        if not edits or origin_of(str(request.url)) != origin_of(self._gateway):
            return await self._http.handle_async_request(request)
        try:
            return await self._buy(request, await request.aread())
        except TollbrushError as refused:
            headers = {}
            if isinstance(refused, RateLimited | Unavailable):
                headers["retry-after"] = str(refused.retry_after)
            return httpx2.Response(refused.status, headers=headers, json=openai.error_body(refused))

    async def aclose(self) -> None:
        await self._http.aclose()
        await self._payer.close()

    async def _buy(self, request: httpx2.Request, body: bytes) -> httpx2.Response:
        """Sent with the payment that is owed for this very request, else without; a 402 is paid once."""
        wish = _fingerprint(request, body)
        payment = self._take(wish)
        response = await self._send(request, body, wish, payment)
        if response.status_code != 402:
            return response
        asked = await _whole(response)
        if payment is not None:
            if await self._fate(payment) in (Fate.ALIVE, Fate.SPENT):
                return asked  # it may be taken yet, or has been: nothing more is signed
            self._owed[wish].remove(payment)
        offers = read_402(asked.headers, asked.content)
        price = Price(offers[0].requirement.amount)
        if self._most is not None and price > self._most:
            raise SpendingPolicy(f"The edit costs {price}, more than the {self._most} allowed.", advice="")
        fresh = await self._payer.pay(offers, quoted=price, gateway=self._gateway)
        return await self._send(request, body, wish, fresh)

    async def _send(
        self, request: httpx2.Request, body: bytes, wish: str, payment: SignedPayment | None
    ) -> httpx2.Response:
        """What comes back; whatever is no delivery leaves the payment owed."""
        headers = request.headers.copy()
        if payment is not None:
            headers.update([payment.header])
        sent = httpx2.Request(request.method, request.url, headers=headers, content=body, extensions=request.extensions)
        try:
            response = await self._http.handle_async_request(sent)
        except BaseException:
            await self._keep(wish, payment)
            raise
        if payment is None:
            return response
        if response.status_code != 200:
            await self._keep(wish, payment)
            return response
        receipt = read_receipt({name.lower(): value for name, value in response.headers.items()})

        async def ended(delivered: bool) -> None:
            if delivered:
                await self._payer.settled(payment, receipt)
            else:
                await self._keep(wish, payment)

        stream = response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)
        events = response.headers.get("content-type", "").startswith("text/event-stream")
        watched = _Delivery(stream, ended, events=events)
        return httpx2.Response(200, headers=response.headers, stream=watched, extensions=response.extensions)

    def _take(self, wish: str) -> SignedPayment | None:
        owed = self._owed.pop(wish, [])
        first, rest = (owed[0], owed[1:]) if owed else (None, [])
        if rest:
            self._owed[wish] = rest
        return first

    async def _keep(self, wish: str, payment: SignedPayment | None) -> None:
        if payment is not None:
            self._owed.setdefault(wish, []).append(payment)
            if len(self._owed) > _REMEMBERED:
                self._owed.popitem(last=False)
            await self._payer.doubtful(payment)

    async def _fate(self, payment: SignedPayment) -> Fate:
        try:
            return await self._payer.fate(payment)
        except Unavailable:
            return Fate.ALIVE  # nobody knows: it counts


class _Delivery(httpx2.AsyncByteStream):
    """A paid answer on its way. JSON is delivered when it was read to its end; a stream of events once it completed,
    unless the connection broke."""

    def __init__(
        self, stream: httpx2.AsyncByteStream, ended: Callable[[bool], Awaitable[None]], *, events: bool
    ) -> None:
        self._stream, self._ended, self._events = stream, ended, events
        self._whole = self._completed = self._broken = self._told = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        tail = b""
        try:
            async for chunk in self._stream:
                tail += chunk
                self._completed = self._completed or _COMPLETED in tail
                tail = tail[-len(_COMPLETED) :]
                yield chunk
            self._whole = True
        except httpx2.TransportError:
            self._broken = True
            raise

    async def aclose(self) -> None:
        await self._stream.aclose()
        if not self._told:
            self._told = True
            await self._ended(self._completed and not self._broken if self._events else self._whole)


class _BlockingTransport(httpx2.BaseTransport):
    """The same for code without an event loop: paying talks to chains asynchronously either way."""

    def __init__(self, paying: PayingTransport) -> None:
        self._paying = paying

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        same = httpx2.Request(
            request.method, request.url, headers=request.headers, content=request.read(), extensions=request.extensions
        )
        response = _blocking(self._paying.handle_async_request(same))
        stream = response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)
        return httpx2.Response(response.status_code, headers=response.headers, stream=_BlockingStream(stream))

    def close(self) -> None:
        _blocking(self._paying.aclose())


class _BlockingStream(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        chunks = aiter(self._stream)

        async def following() -> bytes | None:
            return await anext(chunks, None)

        while (chunk := _blocking(following())) is not None:
            yield chunk

    def close(self) -> None:
        _blocking(self._stream.aclose())


def _blocking(work: Coroutine[Any, Any, T]) -> T:
    future = asyncio.run_coroutine_threadsafe(work, _LOOP.get())
    try:
        return future.result()
    except BaseException:
        future.cancel()  # Ctrl+C: what was sent is booked, and stops
        raise


async def _whole(response: httpx2.Response) -> httpx2.Response:
    """The same with its body read, and the connection given back."""
    try:
        body = await response.aread()
    finally:
        await response.aclose()
    headers = [(name, value) for name, value in response.headers.items() if name.lower() != "content-encoding"]
    return httpx2.Response(response.status_code, headers=headers, content=body)


def _fingerprint(request: httpx2.Request, body: bytes) -> str:
    """What makes two requests the same: a retry differs in its multipart boundary alone."""
    _, _, boundary = request.headers.get("content-type", "").partition("boundary=")
    mark = boundary.strip('"').encode()
    return hashlib.sha256(str(request.url).encode() + b"\n" + (body.replace(mark, b"") if mark else body)).hexdigest()
