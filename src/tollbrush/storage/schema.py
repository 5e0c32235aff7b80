"""The ledger's file: its tables, as they came to be, and how it is opened."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Final

from tollbrush.errors import BadSettings

OTHER_FILE: Final = "Is another file in its place?"
_PATIENCE: Final = 10.0
"""Seconds for which somebody else's lock is waited for."""
_PAUSE: Final = 0.02

MIGRATIONS: Final = (
    """
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY, payer TEXT NOT NULL, model TEXT NOT NULL, requested_model TEXT NOT NULL,
        size TEXT NOT NULL, n INTEGER NOT NULL, amount INTEGER NOT NULL, created INTEGER NOT NULL,
        state TEXT NOT NULL, images TEXT NOT NULL, error_code TEXT, error TEXT, updated INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE charges (
        id TEXT PRIMARY KEY, network TEXT NOT NULL, asset TEXT NOT NULL, payer TEXT NOT NULL, nonce TEXT NOT NULL,
        amount INTEGER NOT NULL, pay_to TEXT NOT NULL, valid_until INTEGER NOT NULL, request_hash TEXT NOT NULL,
        job_id TEXT NOT NULL REFERENCES jobs(id), payload TEXT NOT NULL, created INTEGER NOT NULL,
        state TEXT NOT NULL, tx_hash TEXT, reason TEXT, updated INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX one_claim ON charges (network, asset, payer, nonce) WHERE state <> 'released';
    CREATE INDEX open_of_payer ON charges (network, asset, payer) WHERE state NOT IN ('settled', 'released');
    CREATE INDEX charges_of_job ON charges (job_id);
    """,
    """
    ALTER TABLE charges ADD COLUMN refused_at INTEGER;
    ALTER TABLE jobs ADD COLUMN deadline INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE jobs ADD COLUMN owner TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN lease_until INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX unfinished ON jobs (lease_until) WHERE state IN ('queued', 'in_progress');
    CREATE INDEX refused_of_payer ON charges (network, asset, payer, refused_at) WHERE refused_at IS NOT NULL;
    CREATE INDEX charges_by_time ON charges (created);
    """,
    """
    CREATE UNIQUE INDEX one_charge_a_job ON charges (job_id) WHERE state <> 'released';
    CREATE INDEX litter ON jobs (id) WHERE images <> '[]' AND state IN ('failed', 'cancelled');
    """,
    """
    ALTER TABLE jobs ADD COLUMN usage TEXT NOT NULL DEFAULT '{}';
    """,
    """
    CREATE INDEX hosted ON jobs (updated) WHERE images <> '[]';
    CREATE INDEX released ON charges (job_id) WHERE state = 'released';
    """,
)


def open_ledger(path: Path) -> sqlite3.Connection:
    """In WAL, its tables up to date, readable by nobody else. Of several processes that start together one makes it.
    Raises OSError, sqlite3.Error, BadSettings."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    until = time.monotonic() + _PATIENCE
    while True:
        db = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)
        try:
            db.row_factory = sqlite3.Row
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                db.execute(f"PRAGMA {pragma}")
            path.chmod(0o600)
            _migrate(db, path)
        except sqlite3.OperationalError as failure:
            db.close()
            # The change to WAL is refused at once, whatever the time-out, while another one holds the file.
            if not failure.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
        except BaseException:
            db.close()
            raise
        else:
            return db


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    """All of it or nothing, and of several processes that start together, one. Raises BadSettings."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise BadSettings(
                f"the ledger {path} is of version {version}, and this tollbrush knows {len(MIGRATIONS)}.",
                advice="Run the version that it was last used with, or a newer one.",
            )
        if not version and db.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise BadSettings(f"{path} is another program's database.", advice=f"{OTHER_FILE} Set another data_dir.")
        for script in MIGRATIONS[version:]:
            for statement in script.split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
