"""Batches: budgets, masks, resuming, and interruptions at every point. Nothing is ever paid twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.paid_server import DROP, Heard, PaidServer, Reply, on_base, png, reply
from tollbrush.cli.app import run
from tollbrush.cli.batch_book import FILE, Order, RunFile, Step
from tollbrush.cli.batch_plan import plan
from tollbrush.errors import BadRequest

Capture = pytest.CaptureFixture[str]
COLORS = ("red", "green", "blue", "teal")


@pytest.fixture
def photos(home: Path) -> Path:
    folder = home / "photos"
    folder.mkdir()
    for number, color in enumerate(COLORS):
        (folder / f"p {number}.png").write_bytes(png(color=color))
    return folder


def batch(capsys: Capture, *words: str) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """Exit code, the lines of the pictures, the summary."""
    code = run(["batch", *words, "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return code, lines[:-1], lines[-1].get("summary", {})


def test_every_picture_once_and_resumed_for_nothing(photos: Path, gateway: PaidServer, capsys: Capture) -> None:
    code, lines, summary = batch(capsys, "photos", "sepia", "--budget", "1")
    assert code == 0 and {line["outcome"] for line in lines} == {"edited"}
    assert summary["spent"] == "0.084000" and summary["edited"] == 4
    assert {p.name for p in Path("photos-edited").iterdir()} == {*(p.name for p in photos.iterdir()), FILE}
    assert len(gateway.charged) == 4
    code, lines, summary = batch(capsys, "photos", "sepia", "--budget", "1", "--resume")
    assert code == 0 and summary["finished_before"] == 4 and summary["spent"] == "0.084000"
    assert len(gateway.charged) == 4 == len(gateway.of("edit"))


def test_the_budget_is_never_passed(photos: Path, gateway: PaidServer, capsys: Capture) -> None:
    code, _, summary = batch(capsys, "photos", "sepia", "--budget", "0.0629", "--jobs", "4")
    assert code == 3 and summary["edited"] == 2 and summary["left"] == 2 and len(gateway.charged) == 2
    code, _, summary = batch(capsys, "photos", "sepia", "--budget", "0.0629", "--resume")
    assert code == 3 and len(gateway.charged) == 2, "the budget is the whole batch's"
    code, _, summary = batch(capsys, "photos", "sepia", "--budget", "0.084", "--resume")
    assert code == 0 and summary["spent"] == "0.084000" and len(gateway.charged) == 4


def test_one_bad_picture_does_not_end_it(photos: Path, gateway: PaidServer, capsys: Capture) -> None:
    (photos / "a\x1b[2J.png").write_bytes(b"no picture")
    assert run(["batch", "photos", "sepia", "--budget", "1"]) == 4
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err and "a\\x1b[2J.png" in said.out
    assert "4 edited" in said.out and "--resume" in said.err and len(gateway.charged) == 4


def test_failures_of_several_kinds(photos: Path, gateway: PaidServer, capsys: Capture) -> None:
    (photos / "bad.png").write_bytes(b"no picture")
    gateway.script["edit"] = [reply(500, {"error": "broken", "code": "engine_failed"})]
    code, _, summary = batch(capsys, "photos", "sepia", "--budget", "1", "--jobs", "1")
    assert code == 1 and summary["failed"] == 2 and summary["edited"] == 3
    assert Decimal(summary["spent"]) == Decimal("0.084"), "a payment in doubt counts"
    (photos / "bad.png").unlink()
    code, lines, summary = batch(capsys, "photos", "sepia", "--budget", "0.084", "--resume")
    assert code == 0, lines
    assert Decimal(summary["spent"]) == Decimal("0.084") and len(gateway.charged) == 4


def test_no_funds_ends_it_at_once(photos: Path, gateway: PaidServer, capsys: Capture, monkeypatch: Any) -> None:
    for cap in ("PER_CALL", "PER_HOUR", "PER_DAY", "LIFETIME"):
        monkeypatch.setenv(f"TOLLBRUSH_ROUTER__SPENDING__{cap}", "999")
    gateway.offers = [on_base(50_000_000)]
    code, _, summary = batch(capsys, "photos", "sepia", "--budget", "999", "--jobs", "1")
    assert code == 7 and summary["failed"] == 1 and summary["left"] == 3 and summary["spent"] == "0"
    assert not gateway.charged


def test_a_gateway_that_gets_dearer(photos: Path, gateway: PaidServer, capsys: Capture) -> None:
    """Quoted at 0.021, asked 0.50: refused, and the budget holds."""
    gateway.script["edit"] = [gateway.ask(on_base(500_000)) for _ in range(4)]
    _, lines, summary = batch(capsys, "photos", "sepia", "--budget", "0.084", "--jobs", "1")
    assert all(line.get("code") == "spending_policy" for line in lines if line["outcome"] == "failed")
    assert Decimal(summary["spent"]) <= Decimal("0.084")


def test_without_a_cap_nothing_is_bought_off_a_terminal(photos: Path, gateway: PaidServer, capsys: Capture) -> None:
    for words in (["--yes"], []):
        assert run(["batch", "photos", "sepia", *words]) == 3
        assert "needs a budget" in capsys.readouterr().err
    assert run(["batch", "photos", "sepia", "--budget", "1", "--max-price", "0.02"]) == 3
    assert not [heard for heard in gateway.heard if heard.payment]


def test_a_dry_run_pays_nothing(photos: Path, gateway: PaidServer, capsys: Capture) -> None:
    assert run(["batch", "photos", "sepia", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"] == "0.084000"
    assert not gateway.of("edit") and not Path("photos-edited").exists()


def test_masks(photos: Path, gateway: PaidServer, capsys: Capture) -> None:
    masks = photos.parent / "masks"
    masks.mkdir()
    for number in (0, 1, 2):
        (masks / f"p {number}.png").write_bytes(png(color="white"))
    code, lines, _ = batch(capsys, "photos", "sepia", "--budget", "1", "-m", "masks")
    assert code == 4 and [line["code"] for line in lines if line["outcome"] == "failed"] == ["bad_mask"]
    assert len(gateway.charged) == 3 and all(b'"mask"' in heard.body for heard in gateway.of("edit"))
    code, _, _ = batch(capsys, "photos/p 3.png", "sepia", "--budget", "1", "-m", "masks/p 0.png", "-o", "one")
    assert code == 0 and b'"mask"' in gateway.of("edit")[-1].body
    assert run(["batch", "photos", "sepia", "--budget", "1", "-m", "nowhere"]) == 4


def test_other_options_are_another_batch(photos: Path, gateway: PaidServer, capsys: Capture) -> None:
    assert batch(capsys, "photos", "sepia", "--budget", "1")[0] == 0
    for words in (["photos", "grey", "--resume"], ["photos", "sepia", "--seed", "1", "--resume"], ["photos", "sepia"]):
        assert run(["batch", *words, "--budget", "1"]) == 4
        assert "photos-edited holds a batch" in capsys.readouterr().err
    Path("other").mkdir()
    (Path("other") / "p 0.png").write_bytes(b"mine")
    assert run(["batch", "photos", "sepia", "--budget", "1", "-o", "other"]) == 4
    assert (Path("other") / "p 0.png").read_bytes() == b"mine" and len(gateway.charged) == 4


def test_a_picture_that_changed_is_edited_anew(photos: Path, gateway: PaidServer, capsys: Capture) -> None:
    assert batch(capsys, "photos", "sepia", "--budget", "1")[0] == 0
    (photos / "p 1.png").write_bytes(png(color="orange"))
    code, lines, _ = batch(capsys, "photos", "sepia", "--budget", "1", "--resume")
    assert code == 0 and [line["picture"] for line in lines if line["outcome"] == "edited"] == ["p 1.png"]
    assert len(gateway.charged) == 5


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tollbrush", "batch", *words]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class Held:
    """An edit that the gateway holds until it is let go."""

    def __init__(self, gateway: PaidServer) -> None:
        self._gateway, self.reached, self.go = gateway, threading.Event(), threading.Event()

    def __call__(self, heard: Heard) -> Reply:
        self.reached.set()
        assert self.go.wait(60)
        return self._gateway.edit(heard)


def test_ctrl_c_finishes_what_is_being_paid(photos: Path, gateway: PaidServer, capsys: Capture) -> None:
    held = Held(gateway)
    gateway.script["edit"] = [held]
    with started("photos", "sepia", "--budget", "1", "--jobs", "1") as process:
        assert held.reached.wait(60)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = next(line for line in process.stderr if "Interrupted" in line)
        assert "--resume goes on" in said
        held.go.set()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "1 edited" in out and "3 left" in out
    assert len(gateway.charged) == 1
    assert batch(capsys, "photos", "sepia", "--budget", "0.084", "--resume")[0] == 0
    assert len(gateway.charged) == 4


@pytest.mark.parametrize("blow", [(signal.SIGINT, signal.SIGINT), (signal.SIGKILL,)])
def test_leaving_it_in_mid_payment(
    photos: Path, gateway: PaidServer, capsys: Capture, blow: Sequence[signal.Signals]
) -> None:
    """The payment arrives, its sender is gone; the resumed batch sends that one again, not a second."""
    held = Held(gateway)
    gateway.script["edit"] = [held]
    with started("photos", "sepia", "--budget", "0.084", "--jobs", "1") as process:
        assert held.reached.wait(60)
        for number in blow:
            process.send_signal(number)
            if number == signal.SIGINT and process.stderr is not None and blow.index(number) == 0:
                process.stderr.readline()
        held.go.set()
        process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGKILL)
    code, lines, summary = batch(capsys, "photos", "sepia", "--budget", "0.084", "--resume")
    assert code == 0, lines
    assert Decimal(summary["spent"]) == Decimal("0.084") and len(gateway.charged) == 4


def test_an_answer_that_was_lost(photos: Path, gateway: PaidServer, capsys: Capture) -> None:
    def take_and_drop(heard: Heard) -> Reply:
        gateway.edit(heard)
        return DROP

    gateway.script["edit"] = [take_and_drop]
    code, _, summary = batch(capsys, "photos", "sepia", "--budget", "0.084", "--jobs", "1")
    assert code == 0 and summary["edited"] == 4 and len(gateway.charged) == 4


def test_what_is_named(home: Path) -> None:
    for name in ("a.jpg", "a.png", "deep/b.webp", "deep/.hidden.png", "notes.txt", "edited/old.png"):
        path = home / "shots" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    planned = plan(["shots/**/*"], mask=None, output="shots/edited", suffix=".png")
    assert {i.name: str(i.target) for i in planned.items} == {
        "a.jpg": "a.jpg.png", "a.png": "a.png.png", "deep/b.webp": "deep/b.png",
    }  # fmt: skip
    assert str(plan(["shots"], mask=None, output=None, suffix=".png").folder) == "shots-edited"
    assert str(plan(["shots/a.jpg", "shots/a.png"], mask=None, output=None, suffix=".png").folder) == "shots-edited"
    for over in ("shots", "./shots/../shots"):
        with pytest.raises(BadRequest, match="where the results would go"):
            plan(["shots"], mask=None, output=over, suffix=".png")
    for nothing in ("shots/*.gif", "nowhere", "shots/edited/none"):
        with pytest.raises(BadRequest, match="no picture in"):
            plan([nothing], mask=None, output=None, suffix=".png")


def test_a_run_file_outlives_a_crash(tmp_path: Path) -> None:
    order = Order("sepia", {"seed": 1})
    step = Step("a.png", "00", "started", 1.5, Decimal("0.021"))
    book = RunFile.open(tmp_path)
    book.begin(order)
    book.note(step)
    with pytest.raises(BadRequest, match="another batch is at work"):
        RunFile.open(tmp_path)
    book.close()
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"picture":"b.png","dig')
    again = RunFile.open(tmp_path)
    assert again.order == order and again.steps == {"a.png": step}
    again.note(step)
    again.close()
    last = RunFile.open(tmp_path)
    last.close()
    assert last.steps == {"a.png": step}
    (tmp_path / FILE).write_bytes(b"not json\n")
    with pytest.raises(BadRequest, match="no run file"):
        RunFile.open(tmp_path)
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
