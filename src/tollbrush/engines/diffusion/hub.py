"""From the hub's id to a folder in its cache: only the files needed, with progress, refused before the first byte where
they do not fit."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tollbrush.engines.diffusion import folders
from tollbrush.engines.diffusion.adapters import adapter
from tollbrush.engines.diffusion.hub_failures import translated
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.pins import is_commit
from tollbrush.errors import BadSettings, EngineFailed

_SPARE: Final = 2**30
"""Bytes left free on the disk."""
_CONNECT: Final = 5.0
"""Seconds for a connection to the hub: a satellite's takes two."""
_PAUSE: Final = 1.0
"""Before the second and last try."""

Fraction = Callable[[float], None]


class Hub:
    """`cache`: its folder, None is the usual one (`HF_HOME`). `offline`: nothing is asked of the network. `endpoint`:
    another hub than huggingface.co."""

    def __init__(
        self, cache: Path | None = None, *, offline: bool = False, token: str | None = None, endpoint: str | None = None
    ) -> None:
        self._offline, self._token, self._endpoint = offline, token, endpoint
        self._cache = cache

    def folder(self, row: DiffusionModel, progress: Fraction) -> Path:
        """Where the model's files are, all of them. Raises BadSettings, EngineFailed."""
        local = row.folder
        if local is not None:
            _check_family(row, _index_of(local, row))
            progress(1.0)
            return local
        from huggingface_hub.constants import HF_HUB_OFFLINE

        offline = self._offline or HF_HUB_OFFLINE
        try:
            return self._fetched(row, progress, offline=offline)
        except OSError as error:
            raise translated(row, error, offline=offline) from error
        except ValueError as error:
            raise BadSettings(f"{row.name}: {row.source!r} is no hub id: {str(error)[:200]}") from error

    def known_index(self, row: DiffusionModel) -> folders.Index | None:
        """What its index says, if it is on this machine. Raises BadSettings for a folder without one."""
        local = row.folder
        if local is None:
            from huggingface_hub import try_to_load_from_cache
            from huggingface_hub.errors import HFValidationError

            try:
                found = try_to_load_from_cache(
                    row.source, folders.INDEX, cache_dir=self._cache, revision=row.revision or "main"
                )
            except HFValidationError as error:
                raise BadSettings(f"{row.name}: {row.source!r} is no hub id: {str(error)[:200]}") from error
            return folders.read_index(Path(found).read_bytes(), row.name) if isinstance(found, str) else None
        return _index_of(local, row)

    def _fetched(self, row: DiffusionModel, progress: Fraction, *, offline: bool) -> Path:
        from huggingface_hub import hf_hub_download, snapshot_download
        from huggingface_hub.utils import logging

        logging.set_verbosity_error()  # it would tell of each try
        asked: dict[str, Any] = {
            "revision": row.revision,
            "cache_dir": self._cache,
            "token": self._token,
            "endpoint": self._endpoint,
            "local_files_only": offline,
        }
        if is_commit(row.revision) and (whole := self._whole(row)) is not None:
            progress(1.0)
            return whole
        if not offline:
            self._reach(row)
        index = Path(hf_hub_download(row.source, folders.INDEX, **asked))
        if offline:
            return index.parent
        said = folders.read_index(index.read_bytes(), row.name)
        _check_family(row, said)
        files = snapshot_download(row.source, dry_run=True, tqdm_class=_bar(progress, 0), **asked)
        needed = set(folders.choose((file.filename for file in files), said, row.variant, row.name))
        missing = sum(file.file_size for file in files if file.filename in needed and file.will_download)
        self._check_disk(row, missing)
        where = snapshot_download(
            row.source, allow_patterns=sorted(needed), tqdm_class=_bar(progress, missing), **asked
        )
        progress(1.0)
        return Path(where)

    def _reach(self, row: DiffusionModel) -> None:
        """Any answer will do. Else the hub's library knocks six times, for half a minute or more. Raises
        EngineFailed."""
        import httpx2
        from huggingface_hub.constants import ENDPOINT

        url = httpx2.URL(self._endpoint or ENDPOINT)
        for last in (False, True):
            try:
                httpx2.head(url, timeout=_CONNECT)
            except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as nobody:
                if last:
                    raise EngineFailed(
                        f"{row.name} could not be fetched: {url.host} cannot be reached ({nobody or 'no answer'}).",
                        advice="Check this machine's network, or set HTTPS_PROXY or HF_ENDPOINT where it needs one. "
                        "What has come already is kept.",
                    ) from nobody
                time.sleep(_PAUSE)
            except httpx2.HTTPError:
                return  # somebody is there, if slow
            else:
                return

    def _whole(self, row: DiffusionModel) -> Path | None:
        """The folder of a commit, which never changes, once all of it is in the cache: the hub need not answer."""
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        index = self.known_index(row)
        if index is None:
            return None
        files = [folders.INDEX, *(f"{part}/*{end}" for part in index.parts for end in folders.ENDINGS)]
        try:
            where = Path(
                snapshot_download(
                    row.source,
                    revision=row.revision,
                    cache_dir=self._cache,
                    local_files_only=True,
                    allow_patterns=files,
                    tqdm_class=_bar(lambda _: None, 0),
                )
            )
            folders.check(where, index, row.variant, row.name)
        except (LocalEntryNotFoundError, BadSettings):
            return None
        return where

    def _check_disk(self, row: DiffusionModel, missing: int) -> None:
        from huggingface_hub.constants import HF_HUB_CACHE

        place = (self._cache or Path(HF_HUB_CACHE)).absolute()
        there = next(path for path in (place, *place.parents) if path.exists())
        free = shutil.disk_usage(there).free
        if missing and missing + _SPARE > free:
            raise BadSettings(
                f"{row.name} needs {missing / 2**30:.1f} GiB more on the disk, and {there} has {free / 2**30:.1f} GiB "
                "free.",
                advice="Make room there, or set engines.diffusion.cache to another disk.",
            )


def _index_of(local: Path, row: DiffusionModel) -> folders.Index:
    if not (local / folders.INDEX).is_file():
        wrong = f"it has no {folders.INDEX}" if local.is_dir() else "there is none"
        raise BadSettings(
            f"{row.name}: {local} is no model's folder: {wrong}.",
            advice="Give the folder that holds it, or a hub id (owner/name).",
        )
    return folders.read_index((local / folders.INDEX).read_bytes(), row.name)


def _check_family(row: DiffusionModel, index: folders.Index) -> None:
    """Before a byte of its weights is fetched or read. Raises BadSettings."""
    adapter(row.pipeline or index.pipeline, row.name)


def _bar(progress: Fraction, total: int) -> type[Any]:
    """The hub's progress bar, unseen: it draws nothing and tells the fraction."""
    from huggingface_hub.utils import tqdm

    class Told(tqdm):
        def __init__(self, *given: Any, **named: Any) -> None:
            self._counts = named.get("name") == "huggingface_hub.snapshot_download"
            super().__init__(*given, **{**named, "file": io.StringIO(), "disable": False})

        def update(self, n: float | None = 1) -> bool | None:
            moved: bool | None = super().update(n)
            if self._counts and total:
                progress(min(1.0, self.n / total))
            return moved

    return Told
