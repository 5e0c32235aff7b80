"""The ledger for those who only look, beside a gateway that may be at work."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tollbrush.domain.charges import Charge
from tollbrush.domain.jobs import Job
from tollbrush.errors import BadSettings, NotFound
from tollbrush.storage.rows import OPEN, find_history
from tollbrush.storage.schema import MIGRATIONS


def read_history(path: Path, *, since: int = 0) -> list[tuple[Job, Charge]]:
    """Every charge claimed at or after `since` (Unix seconds), and every open one whenever it was claimed, with their
    jobs; oldest first. No lock is taken, nothing changed. Raises NotFound, BadSettings."""
    if not path.is_file():
        raise NotFound(
            f"{path.parent} holds no gateway's ledger.",
            advice="Name the gateway's data folder with --data-dir, or start one: tollbrush serve",
        )
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            db.execute("BEGIN")  # charges and jobs as of one moment
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version != len(MIGRATIONS):
                raise BadSettings(
                    f"{path} is of version {version}, not {len(MIGRATIONS)}.",
                    advice="Start its gateway once with this version of tollbrush: tollbrush serve",
                )
            return find_history(db, f"created >= ? OR {OPEN}", since)
    except sqlite3.Error as failure:
        raise BadSettings(f"{path} cannot be read ({failure}).", advice="Is it a gateway's data folder?") from failure
