"""An HTTP service of JSON calls that tests spoil: late, silent, confused, lying or not there at all."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Spoil = Callable[[Callable[[], dict[str, Any]]], tuple[int, bytes] | None]
"""Gets what would do the work and give the answer; returns a status and bytes to send, or None to hang up."""


class SpoiltServer:
    """`spoil` maps a call's name, or `*` for all others, to what is done instead of the work; `asked` counts calls by
    name."""

    def __init__(self) -> None:
        self.spoil: dict[str, Spoil] = {}
        self.asked: Counter[str] = Counter()
        self._port = 0
        self.start()

    def work(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def name(self, path: str, body: dict[str, Any]) -> str:
        return path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """On the port it had before, if it had one."""
        self._http = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._http.daemon_threads = True
        self._port = self._http.server_port
        self.is_up = True
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.is_up = False
        self._http.shutdown()
        self._http.server_close()

    def _handle(self, path: str, body: dict[str, Any]) -> tuple[int, bytes] | None:
        name = self.name(path, body)
        self.asked[name] += 1
        spoil = self.spoil.get(name) or self.spoil.get("*")
        if spoil is not None:
            return spoil(lambda: self.work(name, body))
        return 200, json.dumps(self.work(name, body)).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                pass

            def do_GET(self) -> None:
                self._answer({})

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

            def _answer(self, body: dict[str, Any]) -> None:
                answer = server._handle(self.path, body)
                if answer is None:
                    return
                status, data = answer
                head = f"HTTP/1.0 {status} -\r\ncontent-length: {len(data)}\r\n\r\n"
                try:
                    self.wfile.write(head.encode() + data)
                except OSError:  # whoever asked has gone
                    return

        return Handler


def say(status: int, answer: Any) -> Spoil:
    """Do nothing and answer this."""
    data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return lambda work: (status, data)


def do_and_say(status: int, answer: Any) -> Spoil:
    """Do the work, then answer this."""
    data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def spoil(work: Callable[[], dict[str, Any]]) -> tuple[int, bytes]:
        work()
        return status, data

    return spoil


def hang_up(work: Callable[[], dict[str, Any]]) -> None:
    """Take the call and say nothing."""


def do_and_hang_up(work: Callable[[], dict[str, Any]]) -> None:
    work()


def late(gone: threading.Event) -> Spoil:
    """Do it, and say so when nobody listens any more."""

    def spoil(work: Callable[[], dict[str, Any]]) -> tuple[int, bytes]:
        answer = work()
        gone.wait(60)
        return 200, json.dumps(answer).encode()

    return spoil


def silent(gone: threading.Event) -> Spoil:
    """Take the call, do nothing, say nothing, and keep the line open."""

    def spoil(work: Callable[[], dict[str, Any]]) -> None:
        gone.wait(60)

    return spoil
