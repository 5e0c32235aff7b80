"""What the hub's library raises, in words for the operator."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from tollbrush.engines.diffusion import folders
from tollbrush.engines.diffusion.model import DiffusionModel
from tollbrush.errors import BadSettings, EngineFailed

if TYPE_CHECKING:
    from tollbrush.errors import TollbrushError

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_LATER: Final = "Try again; what has come already is kept."


def translated(row: DiffusionModel, error: OSError, *, offline: bool) -> TollbrushError:
    """`offline`: nothing could be asked of the hub."""
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
        if offline:
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
