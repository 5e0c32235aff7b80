"""What only happens where somebody sits: questions, secrets, previews, QR codes; and what a pipe gets instead."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from support.paid_server import PaidServer, on_base, png, reply
from support.tty import on_terminal, plain
from tollbrush.cli.app import run
from tollbrush.cli.funding import code
from tollbrush.cli.preview import protocol_of, render, thumbnail
from tollbrush.payments.wallet import load
from tollbrush.settings import Settings

Capture = pytest.CaptureFixture[str]
WORDS = "abandon " * 11 + "about"
DEAR = on_base(150_000)


def test_a_dear_edit_is_asked_about(home: Path, gateway: PaidServer) -> None:
    gateway.offers = [DEAR]
    status, shown = on_terminal(["edit", "my photo.png", "hat"], [("$0.15. Pay? [y/N]", "n")])
    assert status == 3 and "declined" in shown and not gateway.of("edit")
    status, shown = on_terminal(["edit", "my photo.png", "hat"], [("$0.15. Pay? [y/N]", "y")])
    assert status == 0 and len(gateway.charged) == 1 and (home / "my-photo-edited.png").exists()


def test_nobody_to_ask(home: Path, gateway: PaidServer, capsys: Capture) -> None:
    gateway.offers = [DEAR]
    assert run(["edit", "my photo.png", "hat"]) == 3
    assert "--max-price 0.15, or --yes" in capsys.readouterr().err and not gateway.of("edit")
    assert run(["edit", "my photo.png", "hat", "--max-price", "0.15"]) == 0
    assert run(["edit", "my photo.png", "hat", "--again", "--yes"]) == 0
    assert len(gateway.charged) == 2


def test_a_batch_without_a_budget_is_asked_about(home: Path, gateway: PaidServer) -> None:
    status, shown = on_terminal(["batch", "my photo.png", "hat"], [("1 picture: $0.021 in all. Pay?", "n")])
    assert status == 3 and not gateway.of("edit")
    status, shown = on_terminal(["batch", "my photo.png", "hat"], [("Pay?", "y")])
    assert status == 0 and "1 edited. $0.021 of $0.021 spent" in plain(shown)


def test_the_picture_goes_to_a_pipe(home: Path, gateway: PaidServer) -> None:
    command = [sys.executable, "-m", "tollbrush", "edit", "-", "hat"]
    ran = subprocess.run(command, input=png(), capture_output=True, timeout=60)
    assert ran.stdout == gateway.picture and b"Paid $0.021" in ran.stderr
    with Path("out.png").open("wb") as out:
        subprocess.run(command, input=png(), stdout=out, stderr=subprocess.DEVNULL, check=True, timeout=60)
    assert Path("out.png").read_bytes() == gateway.picture
    with Path("/dev/null").open("wb") as out:
        subprocess.run(command, input=png(), stdout=out, stderr=subprocess.DEVNULL, check=True, timeout=60)
    assert (home / "image-edited.png").read_bytes() == gateway.picture
    command = [sys.executable, "-m", "tollbrush", "history", "save", "1"]
    assert subprocess.run(command, capture_output=True, check=True, timeout=60).stdout == gateway.picture


@pytest.mark.parametrize(
    ("argv", "status", "says"),
    [
        (["edit", "-", "hat", "-m", "-"], 2, "one picture"),
        (["edit", "my photo.png", "hat", "-o", "."], 4, "is a folder"),
        (["edit", "my photo.png", "hat", "-o", "no/such/out.png"], 4, "there is no folder"),
        (["history", "show", "7"], 4, "See: tollbrush history"),
        (["history", "save", "nonsense\x1b[2J"], 4, "nonsense\\x1b[2J"),
        (["wallet", "export"], 4, "on a terminal only"),
        (["batch", "my photo.png"], 2, "give pictures and a prompt"),
        (["batch", "nowhere", "hat", "--budget", "1"], 4, "no picture in 'nowhere'"),
        (["batch", "my photo.png", "hat", "--budget", "lots"], 4, "--budget 2.00"),
        (["edit", "\x1b]0;owned\x07.png", "hat"], 4, "\\x1b]0;owned"),
    ],
)
def test_refusals_before_anything_is_paid(
    home: Path, gateway: PaidServer, capsys: Capture, argv: list[str], status: int, says: str
) -> None:
    try:
        assert run(argv) == status
    except SystemExit as stop:
        assert stop.code == status
    told = capsys.readouterr().err
    assert says in told and "\x1b" not in told and "Traceback" not in told
    assert not [heard for heard in gateway.heard if heard.payment]


def test_a_dry_run_signs_nothing(home: Path, gateway: PaidServer, capsys: Capture) -> None:
    assert run(["edit", "my photo.png", "hat", "--size", "1024x1024", "--dry-run"]) == 0
    assert "It would cost $0.021." in capsys.readouterr().out
    assert run(["/img2img --image 'my photo.png' hat", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["price"]["amount"] == "0.021000"
    assert not gateway.of("edit")


def test_history_finds_and_saves(home: Path, gateway: PaidServer, capsys: Capture) -> None:
    assert run(["history"]) == 0
    assert "Nothing was bought yet" in capsys.readouterr().err
    assert run(["edit", "my photo.png", "a \x1b[31mred hat", "-o", "hat.png"]) == 0
    capsys.readouterr()
    assert run(["history", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["data"]
    assert row["number"] == 1 and row["state"] == "completed" and row["price"]["amount"] == "0.021000"
    assert run(["history"]) == run(["history", "show", "1"]) == 0
    said = capsys.readouterr()
    assert "red hat" in said.out and "\x1b" not in said.out and "$0.021" in said.out
    for which in ("1", row["id"]):
        assert run(["history", "save", which, "-o", "again.png"]) == 0
        assert Path("again.png").read_bytes() == gateway.picture
        Path("again.png").unlink()
    assert len(gateway.charged) == 1


def test_models_in_full(home: Path, gateway: PaidServer, capsys: Capture) -> None:
    row = {
        "id": "tollbrush/studio", "mask": True, "pricing": {"auto": "0.0021"}, "max_sources": 1, "licence": "Apache",
        "description": "Edits \x1b[2J exactly.",
        "abilities": [{"name": "recolour", "example": "make the car red"}, "crop"],
    }  # fmt: skip
    gateway.script["models"] = [reply(200, {"object": "list", "data": [row]})]
    assert run(["models", "--verbose"]) == 0
    said = capsys.readouterr().out
    assert "auto $0.0021" in said and "recolour  make the car red" in said and "crop" in said and "\x1b" not in said


def test_export_asks_twice_on_a_terminal_only(home: Path, capsys: Capture) -> None:
    own = load(Settings())
    assert own is not None
    words = own.export()["mnemonic"]
    status, shown = on_terminal(["wallet", "export"], [("Show them?", "y"), ("record it?", "y")])
    assert status == 0 and words in shown
    for answers in ([("Show them?", "n")], [("Show them?", "y"), ("record it?", "n")]):
        status, shown = on_terminal(["wallet", "export"], answers)
        assert status == 130 and words not in shown
    assert run(["wallet", "export"]) == 4
    said = capsys.readouterr()
    assert words not in said.out + said.err


def test_words_and_keys_are_typed_unseen(home: Path) -> None:
    for secret, holds in (
        (WORDS, "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"),
        ("46" * 32, "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"),
    ):
        folder = str(home / holds)
        status, shown = on_terminal(["wallet", "import", "--data-dir", folder], [("or its key: ", secret)])
        assert status == 0 and holds in shown and secret not in shown
    status, shown = on_terminal(
        ["wallet", "import", "--data-dir", str(home / "x")], [("or its key: ", "abandon secretword")]
    )
    assert status == 4 and "secretword" not in shown


def test_a_keystore_asks_for_its_passphrase(home: Path) -> None:
    folder = str(home / "sealed")
    asked = [("A new passphrase: ", "correct horse"), ("Repeat for confirmation: ", "correct horse")]
    status, shown = on_terminal(["wallet", "new", "--store", "keystore", "--data-dir", folder], asked)
    assert status == 0 and "correct horse" not in shown
    assert '"sealed"' in (home / "sealed/wallet/wallet.json").read_text()
    status, shown = on_terminal(
        ["wallet", "show", "--data-dir", folder], [("Passphrase of the wallet: ", "correct horse")]
    )
    assert status == 0 and "$0.00" in shown and "tollbrush wallet fund" in shown
    status, shown = on_terminal(["wallet", "show", "--data-dir", folder], [("Passphrase of the wallet: ", "wrong")])
    assert status == 4 and "does not open" in shown


def test_no_wallet_no_funds(home: Path, gateway: PaidServer, capsys: Capture) -> None:
    for command in (["wallet", "show"],):
        assert run([*command, "--data-dir", str(home / "empty")]) == 4
        assert "tollbrush wallet new" in capsys.readouterr().err
    assert run(["edit", "my photo.png", "hat", "--data-dir", str(home / "empty")]) == 7
    assert "tollbrush wallet fund" in capsys.readouterr().err


def test_fund_shows_a_code_that_can_be_scanned(home: Path, capsys: Capture) -> None:
    own = load(Settings())
    assert own is not None
    status, shown = on_terminal(["wallet", "fund"])
    assert status == 0 and plain(code(own.evm_address)) in plain(shown)
    status, shown = on_terminal(["wallet", "fund", "--no-qr"])
    assert status == 0 and "█" not in shown and own.evm_address in shown
    assert run(["wallet", "fund", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["addresses"] == {"base-sepolia": own.evm_address}


def test_previews_by_terminal(home: Path, gateway: PaidServer) -> None:
    words = ["edit", "my photo.png", "hat"]
    _, shown = on_terminal(words, env={"TERM": "xterm-kitty"})
    drawn = "".join(re.findall(r"\x1b_G[^;]*;([^\x1b]*)\x1b\\", shown))
    assert Image.open(io.BytesIO(base64.b64decode(drawn))).size == (8, 6)
    _, shown = on_terminal(words, env={"TERM_PROGRAM": "iTerm.app"})
    assert "\x1b]1337;File=inline=1" in shown
    for quiet in ({"TERM": "xterm-256color"}, {"TERM": "xterm-kitty", "TMUX": "x"}):
        assert "\x1b_G" not in on_terminal(words, env=quiet)[1]
    assert "\x1b_G" not in on_terminal([*words, "--no-preview"], env={"TERM": "xterm-kitty"})[1]


def test_kitty_gets_its_picture_in_chunks() -> None:
    noise = Image.effect_noise((900, 700), 90)
    buffer = io.BytesIO()
    noise.save(buffer, "JPEG")
    small = thumbnail(buffer.getvalue())
    parts = list(render(small, "kitty"))
    assert len(parts) > 2 and all(len(part) < 4200 for part in parts)
    assert all("m=1;" in part for part in parts[:-1]) and "m=0;" in parts[-1]
    assert Image.open(io.BytesIO(small)).size == (480, 373)
    assert protocol_of({"TERM": "screen-256color", "KITTY_WINDOW_ID": "1"}) is None
