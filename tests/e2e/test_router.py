"""The whole product as its user runs it: `tollbrush up`, the three commands, a chat, attacks, a clean stop."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import openai
import pytest
from PIL import Image

from support.stack import Everything, environment, standing
from tollbrush.cli.demo import COMMANDS

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(("network", "command"), COMMANDS)
def test_the_three_commands(stack: Everything, network: str, command: str) -> None:
    command = command.replace("/tmp/portrait.png", "./portrait.png")
    before = stack.balances()
    ran = stack.run(f"{command} --again", "--network", network, "--json")
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    after = stack.balances()
    price = int(said["price"]["amount"].replace(".", ""))
    assert price == (42_000 if "1536x1024" in command else 21_000)
    assert said["payment"]["network"] == network
    assert {n: before[n] - after[n] for n in before} == {n: price if n == network else 0 for n in before}
    (picture,) = said["data"]
    with Image.open(stack.home / said["files"][0]) as image:
        assert image.size == (picture["width"], picture["height"])
        assert (image.mode == "RGBA") is ("remove" in command)
    assert (said["model"], said["requested_model"]) == ("tollbrush/studio", "openai/gpt-image-1")


def test_the_same_command_again_is_not_paid_again(stack: Everything) -> None:
    command = "/img2img --image ./cat.jpg --model studio --size auto make it sepia"
    first = json.loads(stack.run(command, "--json").stdout)
    before = stack.balances()
    second = json.loads(stack.run(command, "--json").stdout)
    assert second["replayed"] is True and second["payment"] == first["payment"]
    assert stack.balances() == before
    assert second["files"] != first["files"], "nothing is overwritten"


def test_a_chat_client_edits_a_local_file(stack: Everything) -> None:
    with openai.OpenAI(base_url=f"{stack.router}/v1", api_key="none", max_retries=0) as client:
        chunks = client.chat.completions.create(
            model="tollbrush/studio",
            messages=[{"role": "user", "content": "/img2img --image ~/photo.png --size 512x512 make it warmer"}],
            stream=True,
        )
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        url = text.partition("](")[2].partition(")")[0]
        assert httpx2.get(url).headers["content-type"] == "image/png"
        with pytest.raises(openai.BadRequestError, match="must begin with /img2img"):
            client.chat.completions.create(model="x", messages=[{"role": "user", "content": "hello"}])


def test_openais_image_door(stack: Everything) -> None:
    with (
        openai.OpenAI(base_url=f"{stack.router}/v1", api_key="none", max_retries=0) as client,
        (stack.home / "cat.jpg").open("rb") as cat,
    ):
        answer = client.images.edit(image=cat, prompt="make it black and white", model="tollbrush/studio", size="auto")
    assert answer.data and answer.data[0].b64_json and answer.data[0].b64_json.startswith("iVBOR")


async def test_openais_image_door_without_blocking(stack: Everything) -> None:
    """Several pictures asked for at once; a mask; a typed refusal in OpenAI's own shape."""
    cat, mask = (stack.home / "cat.jpg").read_bytes(), (stack.home / "mask.png").read_bytes()
    async with openai.AsyncOpenAI(base_url=f"{stack.router}/v1", api_key="none", max_retries=0) as client:
        prompts = ("make it sepia", "make it brighter")
        calls = (client.images.edit(image=cat, mask=mask, prompt=p, model="tollbrush/studio") for p in prompts)
        answers = await asyncio.gather(*calls)
        assert [bool(a.data and a.data[0].b64_json) for a in answers] == [True, True]
        with pytest.raises(openai.BadRequestError, match="7x7") as refused:
            await client.images.edit(image=cat, prompt="sepia", size="7x7", model="tollbrush/studio")
    assert refused.value.type == "invalid_request_error"


def test_curl_with_a_pay_header(stack: Everything) -> None:
    """Through bash: `base64` wraps its lines."""
    url = f"{stack.said['gateway']}/api/v1/images/image2image"
    script = f"""
PAYMENT_HEADER=$({sys.executable} -m tollbrush pay-header {url} --model openai/gpt-image-1 --size 1024x1024 --n 1)
IMAGE_BASE64=$(base64 cat.jpg)
curl -s -X POST {url} -H "Content-Type: application/json" -H "X-Payment: $PAYMENT_HEADER" --data-binary @- <<JSON
{{"model": "openai/gpt-image-1", "prompt": "make it sepia", "image": "data:image/jpeg;base64,$IMAGE_BASE64"}}
JSON
"""
    ran = subprocess.run(
        ["bash", "-c", script], cwd=stack.home, env=environment(stack.home), capture_output=True, text=True, timeout=120
    )
    said = json.loads(ran.stdout)
    assert said["payment"]["status"] == "settled", ran.stdout


def test_a_web_page_cannot_use_it(stack: Everything) -> None:
    edit, body = f"{stack.router}/v1/images/image2image", {"prompt": "hat", "image": str(stack.home / "photo.png")}
    before = stack.balances()
    attacks: list[dict[str, str]] = [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"host": "evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"origin": stack.router},
        {"content-type": "text/plain"},
    ]
    answers = [httpx2.post(edit, json=body, headers=headers) for headers in attacks]
    assert [a.status_code for a in answers] == [403, 403, 421, 403, 403, 400]
    assert not [name for a in answers for name in a.headers if name.lower().startswith("access-control")]
    assert stack.balances() == before


def test_the_router_listens_on_loopback_only(stack: Everything) -> None:
    port = int(stack.router.rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; tells which address of ours faces outside
        outside = probe.getsockname()[0]
    if outside.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(OSError):
        socket.create_connection((outside, port), timeout=5)


def test_every_command_sees_the_stack(stack: Everything) -> None:
    shown = json.loads(stack.run("wallet", "show", "--json").stdout)
    assert shown["evm"] == stack.said["wallet"]["evm"] and len(shown["accounts"]) == 2
    before = stack.balances()
    assert stack.run("wallet", "fund", "2").returncode == 0
    assert {n: b - before[n] for n, b in stack.balances().items()} == dict.fromkeys(before, 2_000_000)
    models = json.loads(stack.run("models", "--json").stdout)["data"]
    assert {m["id"] for m in models if m["available"]} == {"openai/gpt-image-1", "tollbrush/studio"}
    doctor = stack.run("doctor", "--json")
    assert doctor.returncode == 0, doctor.stdout
    refused = stack.run("edit", "photo.png", "make it explode into dragons")
    assert refused.returncode == 4 and "dragons" in refused.stderr


def test_secrets_stay_out_of_logs(stack: Everything) -> None:
    state = stack.home / ".local/share/tollbrush/local"
    words = set(json.loads((state / "wallet/wallet.json").read_text())["words"].split())
    keys = json.loads((state / "seller.json").read_text())["settle_keys"].values()
    for log in (state / "logs").iterdir():
        text = log.read_text(errors="replace")
        assert len(words & set(text.split())) < 6 and not [key for key in keys if key in text]
    for private in ("wallet/wallet.json", "seller.json", "router-token", "router/history.db", "spending.db"):
        assert (state / private).stat().st_mode & 0o077 == 0, private


def test_it_stops_cleanly(tmp_path: Path) -> None:
    """SIGTERM ends it with code 0, and leaves no process behind."""
    with standing(tmp_path) as own:
        urls = (own.router, own.said["gateway"], *own.said["chains"].values())
        own.process.send_signal(signal.SIGTERM)
        assert own.process.wait(60) == 0
        for port in [int(url.rpartition(":")[2]) for url in urls]:
            with pytest.raises(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=5)
        assert "does not answer" in own.run("models").stderr
