"""A model hub on loopback, as far as huggingface_hub asks it: repositories of files, with commits and with trouble."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Repository:
    """`commits`: the files of each; `main` is the newest. `claimed`: sizes that are told instead of the real ones."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: bool = False
    claimed: dict[str, int] = field(default_factory=dict)

    @property
    def main(self) -> str:
        return list(self.commits)[-1]

    def commit(self, folder: Path, **changes: bytes) -> str:
        """What the folder holds now, and `changes` by path with `__` for a slash."""
        files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        files |= {name.replace("__", "/", 1): body for name, body in changes.items()}
        name = hashlib.sha1(repr((len(self.commits), sorted(files.items()))).encode()).hexdigest()
        self.commits[name] = files
        return name


@dataclass
class Hub:
    """`fetched` lists the files that were sent, `ranges` those from further on; of `cut` half is sent, once. Who
    knocks at its front door waits for `awake`."""

    url: str
    repositories: dict[str, Repository] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    cut: str = ""
    awake: threading.Event = field(default_factory=threading.Event)


@contextmanager
def open_hub() -> Iterator[Hub]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    hub = Hub(f"http://127.0.0.1:{server.server_address[1]}")
    hub.awake.set()
    setattr(server, "hub", hub)  # noqa: B010 - its handlers find it there
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> Hub:
        found: Hub = getattr(self.server, "hub")  # noqa: B009
        return found

    def do_HEAD(self) -> None:
        self._answer(head=True)

    def do_GET(self) -> None:
        self._answer(head=False)

    def _answer(self, *, head: bool) -> None:
        parts = urlsplit(self.path).path.strip("/").split("/")
        if parts == [""]:
            self.hub.awake.wait()
        api = parts[:2] == ["api", "models"]
        name = "/".join(parts[2:4] if api else parts[:2])
        rest = parts[4:] if api else parts[2:]
        repository = self.hub.repositories.get(name)
        if repository is None:
            return self._error(404, "RepoNotFound")
        if repository.gated and self.headers.get("authorization") != "Bearer hf_good":
            return self._error(403, "GatedRepo")
        kind, revision = rest[0], rest[1]
        commit = repository.main if revision == "main" else revision
        if commit not in repository.commits:
            return self._error(404, "RevisionNotFound")
        files = repository.commits[commit]
        if kind == "revision":
            return self._json({"id": name, "sha": commit, "siblings": [{"rfilename": path} for path in files]})
        if kind == "tree":
            return self._json([self._entry(repository, path, body) for path, body in files.items()])
        return self._file("/".join(rest[2:]), files, commit, repository.claimed, head=head)

    def _entry(self, repository: Repository, path: str, body: bytes) -> dict[str, Any]:
        size = repository.claimed.get(path, len(body))
        return {"type": "file", "path": path, "size": size, "oid": hashlib.sha1(body).hexdigest()}

    def _file(self, path: str, files: dict[str, bytes], commit: str, claimed: dict[str, int], *, head: bool) -> None:
        if path not in files:
            return self._error(404, "EntryNotFound", commit)
        body = files[path]
        asked = self.headers.get("range", "")
        start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.send_header("Content-Length", str(len(body) - start))
        if path in claimed:
            self.send_header("X-Linked-Size", str(claimed[path]))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.hub.ranges.append(path)
        self.end_headers()
        if head:
            return None
        self.hub.fetched.append(path)
        if path == self.hub.cut:
            self.hub.cut = ""
            self.wfile.write(body[start : len(body) // 2])
            self.close_connection = True
            return None
        self.wfile.write(body[start:])
        return None

    def _json(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _error(self, status: int, code: str, commit: str = "") -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", code)
        if commit:
            self.send_header("X-Repo-Commit", commit)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Nobody reads it."""
