"""A JSON-RPC server over HTTP for the chains that run inside Python."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Handle = Callable[[str, list[Any]], Any]
"""(method, params) → result; raises RpcFault, anything else is answered as an internal error."""

_MAX_BODY = 4 * 2**20


class RpcFault(Exception):
    """An error answer: `code` and `message` of JSON-RPC."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.data = code, data


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with the default 5, the sixth caller at once waits a second for its retried SYN


class RpcServer:
    """Serves `handle` on loopback until `stop`. Each connection has its own thread: `handle` locks for itself."""

    def __init__(self, handle: Handle, *, port: int = 0) -> None:
        self._handle = handle
        self._http = _Http(("127.0.0.1", port), self._request_class())
        threading.Thread(target=self._http.serve_forever, args=(0.05,), name="devnet-rpc", daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, body: bytes) -> bytes:
        """One call or a batch, as bytes."""
        try:
            calls = json.loads(body)
        except ValueError:
            return json.dumps(_error(None, -32700, "parse error")).encode()
        answers = [self._one(c) for c in calls] if isinstance(calls, list) else self._one(calls)
        return json.dumps(answers).encode()

    def _one(self, call: Any) -> dict[str, Any]:
        if not isinstance(call, dict) or not isinstance(call.get("method"), str):
            return _error(None, -32600, "invalid request")
        try:
            result = self._handle(call["method"], call.get("params") or [])
        except RpcFault as fault:
            return _error(call.get("id"), fault.code, str(fault), fault.data)
        except Exception as failure:  # noqa: BLE001 - a node answers every call, whatever breaks inside
            return _error(call.get("id"), -32603, f"{type(failure).__name__}: {failure}")
        return {"jsonrpc": "2.0", "id": call.get("id"), "result": result}

    def _request_class(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body in one flush: two would cost 40 ms each call (Nagle, delayed ACK)
            disable_nagle_algorithm = True

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                pass

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                if length > _MAX_BODY:
                    self.send_error(413)
                    return
                answer = server.answer(self.rfile.read(length))
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        return Request


def _error(call_id: Any, code: int, message: str, data: Any = None) -> dict[str, Any]:
    error = {"code": code, "message": message} | ({} if data is None else {"data": data})
    return {"jsonrpc": "2.0", "id": call_id, "error": error}
