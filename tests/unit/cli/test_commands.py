"""The commands as typed, against a strict x402 gateway on loopback."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from support.paid_server import Heard, PaidServer, Reply, on_base, png, reply
from tollbrush.cli.app import run
from tollbrush.payments.wallet import load
from tollbrush.settings import Settings

Capture = pytest.CaptureFixture[str]
HEAVY = (
    "asyncio",
    "numpy",
    "cv2",
    "scipy",
    "numba",
    "web3",
    "PIL",
    "skimage",
    "fastapi",
    "uvicorn",
    "pydantic",
    "httpx2",
    "rich",
)


def test_the_slash_command_in_every_spelling(home: Path, gateway: PaidServer, capsys: Capture) -> None:
    for argv in (
        ["/img2img --image '~/my photo.png' --size 1024x1024 add a hat"],
        ["/img2img", "--image", "my photo.png", "--size", "1024x1024", "add", "a", "hat"],
        ["img2img", "add a hat", "--image=./my photo.png", "--size=1024x1024"],
    ):
        assert run(argv) == 0, capsys.readouterr().err
    sent = [json.loads(heard.body) for heard in gateway.of("edit")]
    assert len(sent) == 1 and sent[0]["prompt"] == "add a hat", "the same edit is bought once"
    assert (home / "my-photo-edited.png").read_bytes() == gateway.picture
    assert (home / "my-photo-edited-3.png").exists() and not (home / "my-photo-edited-4.png").exists()
    assert "my-photo-edited-2.png  8x6" in capsys.readouterr().out


def test_edit_as_json_and_to_a_file(home: Path, gateway: PaidServer, capsys: Capture) -> None:
    assert run(["edit", "my photo.png", "add", "a", "hat", "-o", "out.png", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == ["out.png"] and said["price"]["amount"] == "0.021000"
    assert (home / "out.png").read_bytes() == gateway.picture


def test_edit_from_stdin_to_stdout(
    home: Path, gateway: PaidServer, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(png())))
    assert run(["edit", "-", "add a hat", "-o", "-"]) == 0
    sys.stdout.flush()
    said = capfdbinary.readouterr()
    assert said.out == gateway.picture and b"$0.021" in said.err


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (["edit"], 2, "See: tollbrush edit --help"),
        (["nonsense"], 2, "No such command 'nonsense'"),
        (["edit", "a.png", "hat", "--colour", "red"], 2, "--colour"),
        (["/img2img --image a.png --colour red hat"], 2, "unknown flag '--colour'. Known: --image"),
        (["/img2img hat"], 2, "no picture was given"),
        (["edit", "my photo.png", "hat", "-o", "-", "--json"], 2, "leave out --json"),
        (["edit", "missing.png", "hat"], 4, "missing.png' cannot be read"),
        (["edit", "my photo.png", "hat", "--max-price", "0.02"], 3, "more than the $0.02 allowed"),
        (["edit", "my photo.png", "hat", "--max-price", "lots"], 4, "max_price"),
        (["edit", "my photo.png", "hat", "--network", "litecoin"], 4, "litecoin"),
        (["edit", "my photo.png", "hat", "-o", "no/such/folder.png"], 4, "cannot be written"),
        (["pay-header", "ftp://x"], 4, "is not a URL"),
        (["wallet", "import", "missing.txt"], 4, "cannot be read"),
        (["wallet", "fund", "lots"], 4, "not an amount"),
        (["wallet", "new"], 4, "never overwritten"),
    ],
)
def test_errors_are_one_sentence(home: Path, capsys: Capture, argv: list[str], code: int, says: str) -> None:
    try:
        assert run(argv) == code
    except SystemExit as stop:
        assert stop.code == code
    said = capsys.readouterr()
    told = said.err.strip().splitlines()[-1]
    assert told.startswith("tollbrush: ") and says in told and "Traceback" not in said.err


def test_the_cap_refuses_before_anything_is_signed(
    home: Path, gateway: PaidServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLLBRUSH_ROUTER__SPENDING__PER_CALL", "0.02")
    assert run(["edit", "my photo.png", "hat"]) == 3
    assert run(["pay-header", gateway.url + "/api/v1/images/image2image"]) == 3
    assert not [heard for heard in gateway.heard if heard.payment]


def test_no_funds_no_gateway_and_a_server_fault(
    home: Path, gateway: PaidServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.script["quote"] = [reply(500, {"error": "broken \x1b[31m", "code": "internal_error"})]
    assert run(["edit", "my photo.png", "hat"]) == 5
    gateway.offers = [on_base(50_000_000)]
    monkeypatch.setenv("TOLLBRUSH_ROUTER__SPENDING__PER_CALL", "100")
    monkeypatch.setenv("TOLLBRUSH_ROUTER__SPENDING__PER_HOUR", "100")
    monkeypatch.setenv("TOLLBRUSH_ROUTER__SPENDING__PER_DAY", "100")
    assert run(["edit", "my photo.png", "hat"]) == 3, "too dear to buy unasked"
    assert run(["edit", "my photo.png", "hat", "--yes"]) == 7
    gateway.stop()
    assert run(["edit", "my photo.png", "hat"]) == run(["models"]) == run(["quote"]) == 5


def test_a_time_out(home: Path, gateway: PaidServer, capsys: Capture) -> None:
    gateway.script["edit"] = [reply(504, {"error": "it took too long", "code": "timeout"})]
    assert run(["edit", "my photo.png", "hat"]) == 6
    assert "it took too long" in capsys.readouterr().err


def test_ctrl_c_loses_nothing_that_was_paid(home: Path, gateway: PaidServer, capsys: Capture) -> None:
    reached, go = threading.Event(), threading.Event()

    def hold(heard: Heard) -> Reply:
        reached.set()
        assert go.wait(60)
        return gateway.edit(heard)

    gateway.script["edit"] = [hold]
    command = [sys.executable, "-m", "tollbrush", "edit", "my photo.png", "hat", "-o", "hat.png"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert reached.wait(60) and process.stderr is not None
        process.send_signal(signal.SIGINT)
        assert next(line for line in process.stderr if "Ctrl-C again leaves it" in line)
        go.set()
        assert process.wait(60) == 130
    assert len(gateway.charged) == 1 and not (home / "hat.png").exists()
    assert run(["history", "save", "1", "-o", "hat.png"]) == 0
    assert (home / "hat.png").read_bytes() == gateway.picture
    assert run(["edit", "my photo.png", "hat", "-o", "hat.png"]) == 0
    assert "not paid again" in capsys.readouterr().out and len(gateway.charged) == 1


def test_pay_header_pays(home: Path, gateway: PaidServer, capsys: Capture) -> None:
    import httpx2

    url = gateway.url + "/api/v1/images/image2image"
    assert run(["pay-header", url, "--model", "gpt-image-1", "--size", "1024x1024", "--n", "1"]) == 0
    value = capsys.readouterr().out.strip()
    body = {"model": "gpt-image-1", "prompt": "hat", "image": "data:,"}
    assert httpx2.post(url, json=body, headers={"payment-signature": value}).status_code == 200
    assert len(gateway.charged) == 1


def test_quote_and_models(home: Path, gateway: PaidServer, capsys: Capture) -> None:
    assert run(["quote", "my photo.png", "--size", "auto", "--model", "studio"]) == 0
    assert capsys.readouterr().out == "$0.021\n"
    asked = json.loads(gateway.of("quote")[0].body)
    assert asked == {"width": 8, "height": 6, "size": "auto", "model": "studio"}
    assert run(["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"][0]["id"] == "openai/gpt-image-1"


def test_a_wallets_life(home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(home / "other")
    assert run(["wallet", "new", "--data-dir", folder, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    stored = load(Settings(data_dir=Path(folder)))
    assert stored is not None
    (home / "words.txt").write_text(stored.export()["mnemonic"])
    assert run(["wallet", "import", "words.txt", "--data-dir", str(home / "third"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["evm"] == made["evm"]
    assert run(["wallet", "new", "--store", "cloud", "--data-dir", str(home / "fourth")]) == 4
    assert "plain, keystore, keyring" in capsys.readouterr().err
    assert run(["wallet", "show", "--json"]) == 0
    own = load(Settings())
    assert own is not None
    shown = json.loads(capsys.readouterr().out)
    assert shown["evm"] == own.evm_address and shown["accounts"][0]["balance"] == "10.000000"
    assert run(["wallet", "fund"]) == 0
    assert own.evm_address in capsys.readouterr().out


def test_doctor_tells_what_is_wrong(home: Path, gateway: PaidServer, capsys: Capture) -> None:
    gateway.stop()
    assert run(["doctor", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    states = {f["name"]: f["state"] for f in said["findings"]}
    assert states == {"versions": "ok", "data": "ok", "wallet": "ok", "router": "note", "gateway": "bad"}


def test_settings_that_are_wrong_are_named(home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLLBRUSH_ROUTER__PORT", "many")
    assert run(["models"]) == 5
    assert "setting router.port" in capsys.readouterr().err
    monkeypatch.delenv("TOLLBRUSH_ROUTER__PORT")
    (home / "tollbrush.toml").write_text("[router\n")
    assert run(["models"]) == 5
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {"licence": "mit"},
            'sizes is missing. Add it, each size with its price in dollars ({"1024x1024" = "0.02"}), ',
        ),
        ({"sizes": {"64x64": "0.01"}}, 'licence is missing. Add it, as its model card calls it ("Apache-2.0"), '),
    ],
)
def test_what_a_model_of_ones_own_lacks(
    home: Path, row: dict[str, object], said: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("TOLLBRUSH_MODELS", json.dumps({"acme/own": {"engine": "diffusion", **row}}))
    assert run(["models", "list"]) == 5
    assert f"setting models.acme/own.{said}and try again." in capsys.readouterr().err


def test_a_demo_takes_no_folder_of_others(home: Path, capsys: Capture) -> None:
    (home / "holiday").mkdir()
    (home / "holiday" / "mine.png").write_bytes(png())
    assert run(["demo", "--out", "holiday"]) == 5
    assert "holds other files" in capsys.readouterr().err and (home / "holiday" / "mine.png").exists()


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from tollbrush.cli.app import run; run(['--help']);"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"
    for command in (
        "up",
        "serve",
        "route",
        "devnet",
        "edit",
        "img2img",
        "wallet",
        "models",
        "quote",
        "pay-header",
        "batch",
        "history",
    ):
        assert f"\n  {command} " in ran.stdout


@pytest.mark.parametrize(
    ("line", "proposes"),
    [
        ("tollbrush edit a.png hat --model tollbr", "tollbrush/studio"),
        ("tollbrush edit a.png hat --model google/nano-banana-pro --size 4", "4096x4096"),
        ("tollbrush batch photos hat --network sol", "solana-devnet"),
        ("tollbrush edit a.png hat --fit cr", "crop"),
        ("tollbrush wallet new --store key", "keyring"),
    ],
)
def test_the_shell_completes(line: str, proposes: str) -> None:
    env = os.environ | {"_TOLLBRUSH_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    ran = subprocess.run([sys.executable, "-m", "tollbrush"], env=env, capture_output=True, text=True, timeout=60)
    assert proposes in ran.stdout.split(), ran.stdout + ran.stderr
