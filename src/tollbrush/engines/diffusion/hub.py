"""From the hub's id to a folder in its cache: only the files needed, with progress, refused before the first byte where
they do not fit."""

from __future__ import annotations

import errno
import io
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tollbrush.engines.diffusion import folders
from tollbrush.engines.diffusion.adapters import adapter
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.engines.diffusion.pins import is_commit
from tollbrush.errors import BadSettings, EngineFailed

if TYPE_CHECKING:
    from tollbrush.errors import TollbrushError

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
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
        try:
            return self._fetched(row, progress)
        except OSError as error:
            raise self._translated(row, error) from error
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

    def _fetched(self, row: DiffusionModel, progress: Fraction) -> Path:
        from huggingface_hub import hf_hub_download, snapshot_download
        from huggingface_hub.constants import HF_HUB_OFFLINE
        from huggingface_hub.utils import logging

        logging.set_verbosity_error()  # it would tell of each try
        offline = self._offline or HF_HUB_OFFLINE
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

    def _translated(self, row: DiffusionModel, error: OSError) -> TollbrushError:
        from huggingface_hub import errors

        what = f"{row.name}: {row.source}"
        if isinstance(error, errors.GatedRepoError):
            return BadSettings(
                f"{what} is behind its owner's terms.",
                advice="Accept them on its page, and set engines.diffusion.token.",
            )
        if isinstance(error, errors.RepositoryNotFoundError):
            return BadSettings(
                f"{what} is not on the hub, or private.",
                advice="Check the id; for a private model set engines.diffusion.token.",
            )
        if isinstance(error, errors.RevisionNotFoundError):
            return BadSettings(
                f"{what} has no revision {row.revision!r}.", advice="Its page's history lists them; pin a commit."
            )
        if isinstance(error, errors.LocalEntryNotFoundError):
            if self._offline:
                return BadSettings(
                    f"{what} is not in the hub cache, and nothing may be fetched.",
                    advice=f"Where there is a network, fetch it: tollbrush models pull {row.name}.",
                )
            return EngineFailed(f"{what} could not be fetched: the hub does not answer.", advice=_LATER)
        if isinstance(error, errors.EntryNotFoundError):
            return BadSettings(
                f"{what} has no {folders.INDEX}: it is no diffusers model.",
                advice="Choose the repository in diffusers' layout (often named …-diffusers).",
            )
        if error.errno in _FULL:
            return BadSettings(
                f"{what}: the disk is full ({error.strerror}).",
                advice="Make room, or set engines.diffusion.cache to another disk. What has come already is kept.",
            )
        if error.errno == errno.EFBIG:
            return BadSettings(
                f"{what}: a file of it is too large for this file system or for the limit on files ({error.strerror}).",
                advice="Raise the limit (`ulimit -f`), or set engines.diffusion.cache to another disk. What has come "
                "already is kept.",
            )
        if error.errno is not None and error.filename:
            return BadSettings(
                f"{what} cannot be kept in the hub cache: {error.strerror}: {error.filename}.",
                advice="Mend it, or set engines.diffusion.cache to another folder.",
            )
        return EngineFailed(f"{what} could not be fetched ({type(error).__name__}).", advice=_LATER)


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


_LATER: Final = "Try again; what has come already is kept."


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
