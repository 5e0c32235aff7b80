"""Which commit of each hub model this gateway runs: written down by a pull, kept to by every start."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Final

from tollbrush.errors import BadSettings

MAIN: Final = "main"
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


def is_commit(revision: str | None) -> bool:
    return revision is not None and _COMMIT.fullmatch(revision) is not None


class Pins:
    """`models.json` in the data folder: hub id → branch or tag → the commit that it meant when it was pulled."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / "models.json"

    def find(self, source: str, revision: str | None) -> str | None:
        """The commit to run. Raises BadSettings when the file cannot be read."""
        if is_commit(revision):
            return revision
        return self._read().get(source, {}).get(revision or MAIN)

    def keep(self, source: str, revision: str | None, commit: str) -> None:
        """Raises BadSettings when the file cannot be read or written."""
        if is_commit(revision):
            return
        pins = self._read()
        pins.setdefault(source, {})[revision or MAIN] = commit
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile("w", dir=self._file.parent, prefix=".models", delete=False) as new:
                json.dump(pins, new, indent=1, sort_keys=True)
            Path(new.name).replace(self._file)
        except OSError as failure:
            raise BadSettings(f"{self._file} cannot be written: {failure.strerror}.") from failure

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            pins = json.loads(self._file.read_text())
        except FileNotFoundError:
            return {}
        except OSError as failure:
            raise BadSettings(f"{self._file} cannot be read: {failure.strerror}.") from failure
        except ValueError:
            pins = None
        if not isinstance(pins, dict) or not all(
            isinstance(at, dict) and all(is_commit(commit) for commit in at.values()) for at in pins.values()
        ):
            raise BadSettings(
                f"{self._file} does not say which commits to run.", advice="Remove it and pull the models again."
            )
        return pins
