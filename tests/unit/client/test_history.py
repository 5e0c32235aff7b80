"""The book of edits: what it keeps over a crash, and what it forgets."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from tollbrush.client.history import EditState, History
from tollbrush.client.orders import Upload
from tollbrush.domain.networks import BY_V1
from tollbrush.domain.payments import Requirement
from tollbrush.errors import Unavailable
from tollbrush.payments.payer import SignedPayment

BASE = BY_V1["base-sepolia"]
PAYMENT = SignedPayment(
    ("X-PAYMENT", "abc"), Requirement(BASE.id, BASE.usdc, 21_000, "0x1", 600, {}), BASE, 7, 99, "0x2"
)


def test_an_edit_from_its_signature_to_its_pictures(tmp_path: Path) -> None:
    path = tmp_path / "router" / "history.db"
    history = History(path)
    name = history.begin("d1", "add a hat", "http://g", at=100.0)
    history.spool(name, Upload(b"line\nbytes\xff", "multipart/form-data; boundary=x"))
    history.signed(name, PAYMENT, "", "")
    history.close()
    history = History(path)  # as after kill -9
    (row,) = history.under_way()
    assert (row.id, row.state, row.payment, row.prompt) == (name, EditState.RUNNING, PAYMENT, "add a hat")
    assert history.upload(name) == Upload(b"line\nbytes\xff", "multipart/form-data; boundary=x")
    history.signed(name, PAYMENT, "job1", "http://g/job1")
    assert history.upload(name) is None, "the gateway has it"
    found = history.of_job("job1")
    assert found is not None and (found.id, found.poll_url) == (name, "http://g/job1")
    assert history.latest("d1", since=0) is None
    history.paid(name, {"data": []})
    paid = history.latest("d1", since=100.0)
    assert paid is not None and (paid.payment, paid.bought, paid.answer) == (None, {"data": []}, None)
    assert history.latest("d1", since=100.5) is None
    assert [r.id for r in history.under_way()] == [name]
    history.home(name, {"data": [1]})
    done = history.get(name)
    assert done is not None and (done.state, done.answer) == (EditState.DONE, {"data": [1]})
    assert history.under_way() == []
    for private in (path, path.with_suffix(".uploads")):
        assert stat.S_IMODE(private.stat().st_mode) & 0o077 == 0
    history.close()


@pytest.mark.parametrize("over", [False, True])
def test_what_failed_keeps_its_payment(tmp_path: Path, over: bool) -> None:
    history = History(tmp_path / "history.db")
    name = history.begin("d1", "add a hat", "http://g", at=100.0)
    history.signed(name, PAYMENT, "job1", "http://g/job1")
    assert history.unfinished("d1", since=0) is None, "it runs"
    history.failed(name, "timeout", "too slow", over=over)
    row = history.unfinished("d1", since=0)
    assert row is not None
    assert (row.payment, row.code, row.error) == (PAYMENT, "timeout", "too slow")
    assert row.poll_url == ("" if over else "http://g/job1")
    assert history.unfinished("d1", since=101) is None
    history.reopen(name)
    assert [r.code for r in history.under_way()] == [""]
    history.close()


def test_what_is_paid_stays_paid(tmp_path: Path) -> None:
    history = History(tmp_path / "history.db")
    name = history.begin("d1", "add a hat", "http://g", at=100.0)
    history.paid(name, {"data": []})
    history.failed(name, "upstream_failed", "no picture", over=False)
    row = history.latest("d1", since=0)
    assert row is not None and (row.state, row.code) == (EditState.PAID, "upstream_failed")
    history.home(name, {"data": []})
    assert [(r.state, r.code) for r in history.recent(9)] == [(EditState.DONE, "")]
    history.close()


def test_payments_are_not_printed(tmp_path: Path) -> None:
    history = History(tmp_path / "history.db")
    name = history.begin("d1", "add a hat", "http://g", at=100.0)
    history.signed(name, PAYMENT, "job1", "http://g/job1")
    assert "abc" not in repr(history.get(name))
    history.close()


def test_a_history_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    history = History(tmp_path / "history.db")
    with sqlite3.connect(tmp_path / "history.db") as other:
        other.execute("DROP TABLE edits")
    other.close()
    with pytest.raises(Unavailable, match="cannot be used"):
        history.recent(1)
    history.close()
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="cannot be used"):
        History(tmp_path / "file" / "history.db")
