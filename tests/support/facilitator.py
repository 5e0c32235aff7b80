"""The official x402 facilitator hosted behind HTTP, for both chain families, honest or spoilt."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from x402.facilitator import x402FacilitatorSync
from x402.schemas import PaymentPayload, PaymentRequirements
from x402.schemas.v1 import PaymentPayloadV1, PaymentRequirementsV1

Spoil = Callable[[Callable[[], dict[str, Any]]], tuple[int, bytes] | None]
"""Gets what would do the work and give the answer; returns a status and bytes to send, or None to hang up."""


class HostedFacilitator:
    """`/verify`, `/settle` and `/supported` as the specification has them. `spoil` maps a path to what is done instead;
    `versions` are those that `/supported` admits to; `asked` counts calls by path, `bodies` keeps what came."""

    def __init__(self, facilitator: x402FacilitatorSync) -> None:
        self._facilitator = facilitator
        self.versions = {1, 2}
        self.spoil: dict[str, Spoil] = {}
        self.asked: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _work(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/supported":
            supported = self._facilitator.get_supported().model_dump(by_alias=True, exclude_none=True)
            return supported | {"kinds": [k for k in supported["kinds"] if k["x402Version"] in self.versions]}
        run = self._facilitator.verify if path == "/verify" else self._facilitator.settle
        if body["x402Version"] == 1:
            payment: Any = PaymentPayloadV1.model_validate(body["paymentPayload"])
            due: Any = PaymentRequirementsV1.model_validate(body["paymentRequirements"])
        else:
            payment = PaymentPayload.model_validate(body["paymentPayload"])
            due = PaymentRequirements.model_validate(body["paymentRequirements"])
        return dict(run(payment, due).model_dump(by_alias=True, exclude_none=True))

    def _handle(self, path: str, body: dict[str, Any]) -> tuple[int, bytes] | None:
        self.asked[path] += 1
        self.bodies += [body] if body else []
        if path in self.spoil:
            return self.spoil[path](lambda: self._work(path, body))
        return 200, json.dumps(self._work(path, body)).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        host = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                pass

            def do_GET(self) -> None:
                self._answer({})

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

            def _answer(self, body: dict[str, Any]) -> None:
                answer = host._handle(self.path, body)
                if answer is None:
                    return
                status, data = answer
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        return Handler
