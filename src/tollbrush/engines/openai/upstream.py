"""One server that speaks OpenAI's image API: `POST {url}/images/edits`, and whether it is well."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
import structlog

from tollbrush.domain.breaker import Breaker
from tollbrush.engines.openai.answers import Answer, Partial, Picture, Sick, Trouble, failure, read, read_event
from tollbrush.engines.openai.events import Events, TooLong
from tollbrush.engines.openai.forms import Body
from tollbrush.engines.openai.profiles import resolve
from tollbrush.errors import EditTimeout, UpstreamFailed
from tollbrush.settings import UpstreamSettings

_log: Final = structlog.get_logger(__name__)

_CONNECT_SECONDS: Final = 15.0
_CHECK_SECONDS: Final = 10.0
_MOST_LISTED: Final = 4 * 2**20

Heard = Callable[[Partial], Awaitable[None]]


class Upstream:
    """A member of a fleet. `alone`: nobody could take its place. `names`: the models that are
    asked of it, in its own words."""

    def __init__(self, place: UpstreamSettings, *, alone: bool, stalled_seconds: float) -> None:
        self.place, self.profile, self.alone = place, resolve(place), alone
        self._stalled_seconds = stalled_seconds
        self.breaker = Breaker(Sick)
        self.well, self.checked = True, False
        self.outstanding = self.served = 0
        self.alarm: str | None = None
        self.names: set[str] = set()
        self._lacks: str | None = None
        self._turns = asyncio.Semaphore(place.width)
        key = place.api_key.get_secret_value()
        self._headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {key}"} if key else {})

    @property
    def width(self) -> int:
        return self.place.width

    @property
    def label(self) -> str:
        """Host and port: an address may carry a password."""
        parts = urlsplit(self.place.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    async def ask(
        self, http: aiohttp.ClientSession, body: Body, n: int, *, most: int, until: float, seconds: float, heard: Heard
    ) -> Answer:
        """`n` pictures, within `most` bytes, and `seconds` from its turn on; ours ends at the loop's time `until`.
        `heard` gets the unfinished ones. Raises Trouble."""
        try:
            async with asyncio.timeout_at(until), self._turns:
                left = max(0.0, min(seconds, until - asyncio.get_running_loop().time()))
                answer = await self._within(left, seconds, self._ask(http, body, n, most, heard))
        except TimeoutError as slow:
            raise Trouble(EditTimeout("The edit's time was over before it was the upstream's turn.")) from slow
        except Trouble as trouble:
            self.report(trouble.alarm or self.alarm)
            raise
        self.report(self._lacks)  # another model's success makes it no better
        return answer

    async def _within(self, left: float, whole: float, asked: Coroutine[object, object, Answer]) -> Answer:
        """Half of its `whole` time is enough to blame it; less is what our own line has left it."""
        try:
            async with asyncio.timeout(left):
                return await asked
        except TimeoutError as slow:
            late = EditTimeout(f"The upstream did not answer within {left:.0f} s.")
            raise (Sick(late) if left >= whole / 2 else Trouble(late)) from slow

    async def _ask(self, http: aiohttp.ClientSession, body: Body, n: int, most: int, heard: Heard) -> Answer:
        headers = self._headers | {"Content-Type": body.content_type, "Content-Length": str(body.size)}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
        url = self.place.url.rstrip("/") + "/images/edits"
        try:
            async with http.post(
                url, data=body.pieces(), headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                if response.status == 200 and response.content_type == "text/event-stream":
                    return await _stream(response.content, n, most, heard)
                found = await _read(response.content, most, self._stalled_seconds)
                said = {name.lower(): value for name, value in response.headers.items()}
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as nobody:
            words = f"The upstream could not be reached ({type(nobody).__name__})."
            raise Sick(UpstreamFailed(words), spent=False) from nobody
        except aiohttp.ClientError as broken:
            words = f"The connection to the upstream broke ({type(broken).__name__})."
            raise Sick(UpstreamFailed(words)) from broken
        if response.status != 200:
            raise failure(response.status, said, found)
        return await asyncio.to_thread(read, found, n)

    async def check(self, http: aiohttp.ClientSession) -> None:
        """Ask for its models, as any client may; a server without that route is well too."""
        timeout = aiohttp.ClientTimeout(total=_CHECK_SECONDS)
        url = self.place.url.rstrip("/") + "/models"
        alarm: str | None = None
        missing: list[str] = []
        try:
            async with http.get(url, headers=self._headers, timeout=timeout, allow_redirects=False) as response:
                status = response.status
                body = await _read(response.content, _MOST_LISTED, _CHECK_SECONDS)
        except (TimeoutError, aiohttp.ClientError, Trouble) as failed:
            alarm = f"it does not answer ({type(failed).__name__})"
        else:
            if status in (401, 403):
                alarm = f"it refuses the key (HTTP {status}): set another"
            elif status >= 500:
                alarm = f"it is not well (HTTP {status})"
            listed = _ids(body) if status == 200 and self.profile.lists_models else None
            missing = sorted(self.names - listed) if listed is not None else []
        self.well, self.checked = alarm is None, True
        self._lacks = f"it does not have the model {', '.join(missing)}" if missing else None
        self.report(alarm or self._lacks)

    def report(self, alarm: str | None) -> None:
        """Said once, loudly, when it begins and when it ends."""
        if alarm != self.alarm:
            if alarm is not None:
                _log.error("an upstream needs its operator", upstream=self.label, problem=alarm)
            else:
                _log.info("an upstream is well again", upstream=self.label)
        self.alarm = alarm


async def _read(content: aiohttp.StreamReader, most: int, stalled_seconds: float) -> bytes:
    """Raises Sick when it is too long or stops coming."""
    chunks: list[bytes] = []
    size = 0
    while True:
        try:
            async with asyncio.timeout(stalled_seconds):
                chunk = await content.readany()
        except TimeoutError as stalled:
            words = f"The upstream stopped in the middle of its answer for {stalled_seconds:.0f} s."
            raise Sick(EditTimeout(words)) from stalled
        if not chunk:
            return b"".join(chunks)
        size += len(chunk)
        if size > most:
            raise _too_long(most)
        chunks.append(chunk)


async def _stream(content: aiohttp.StreamReader, n: int, most: int, heard: Heard) -> Answer:
    """Up to the finished pictures; what comes after them is not waited for."""
    events = Events(most)
    pictures: list[Picture] = []
    usage: Counter[str] = Counter()
    try:
        async for chunk in content.iter_any():
            for data in events.feed(chunk):
                found = None if data == b"[DONE]" else read_event(data)
                if isinstance(found, Partial):
                    await heard(found)
                elif found is not None:
                    pictures += found.pictures
                    usage.update(found.usage)
                    if len(pictures) == n:
                        return Answer(pictures, dict(usage))
    except TooLong as long:
        raise _too_long(most) from long
    raise Sick(UpstreamFailed(f"The upstream's stream ended after {len(pictures)} of {n} pictures."))


def _too_long(most: int) -> Sick:
    return Sick(UpstreamFailed(f"The upstream's answer is over {most:,} bytes."))


class _Listed(msgspec.Struct):
    id: str


class _Listing(msgspec.Struct):
    data: list[_Listed]


def _ids(body: bytes) -> frozenset[str] | None:
    try:
        return frozenset(row.id for row in msgspec.json.decode(body, type=_Listing).data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
