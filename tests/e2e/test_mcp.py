"""Agents: the official MCP client and the real server process, through a router and straight at a gateway."""

from __future__ import annotations

import asyncio
import base64
import filecmp
import io
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import MCPError
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import ElicitResult, ImageContent, ResourceLink, TextContent
from PIL import Image, ImageOps

from support.agent import User, connected, kinds, said, text
from support.pictures import photo
from support.shop import FUNDS, Shop
from support.stack import Everything, environment
from tollbrush.payments.wallet import Wallet

pytestmark = pytest.mark.e2e

TOOLS = {"edit_image", "quote", "get_job", "wallet_status", "list_models"}
DEAR: dict[str, Any] = {"image": "cat.jpg", "model": "openai/gpt-image-1", "n": 5}
YES = ElicitResult(action="accept", content={"pay": True})


async def test_what_it_offers(stack: Everything) -> None:
    async with connected(stack.home) as agent:
        listed = {tool.name: tool for tool in (await agent.list_tools()).tools}
        assert set(listed) == TOOLS
        for tool in listed.values():
            assert tool.input_schema["type"] == "object" and tool.output_schema is not None
            assert tool.description and tool.annotations is not None
        assert [name for name, tool in listed.items() if not tool.annotations.read_only_hint] == ["edit_image"]  # type: ignore[union-attr]
        assert listed["edit_image"].input_schema["required"] == ["image", "prompt"]
        models = said(await agent.call_tool("list_models"))["models"]
        assert "tollbrush/studio" in {model["id"] for model in models if model["available"]}
        wallet = said(await agent.call_tool("wallet_status"))
        assert {a["network"] for a in wallet["accounts"]} == {"base-sepolia", "solana-devnet"}
        assert wallet["per_call"] == "0.50" and wallet["caps"]["day"]["cap"] == "20.00"


async def test_a_photograph_is_edited_paid_saved_and_shown(stack: Everything) -> None:
    before, steps = stack.balances(), list[str]()
    with Image.open(stack.home / "photo.png") as photograph:  # one that nobody had edited before
        ImageOps.mirror(photograph).save(stack.home / "mirrored.png")

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert progress == len(steps) + 1
        steps.append(message or "")

    async with connected(stack.home) as agent:
        asked = {"image": "~/mirrored.png", "prompt": "change the background to a starry sky", "model": "studio"}
        price = said(await agent.call_tool("quote", asked))
        result = await agent.call_tool("edit_image", asked, progress_callback=note)
        done = said(result)
        again = said(await agent.call_tool("edit_image", asked))
        by_job = said(await agent.call_tool("get_job", {"job": done["job"]}))
    assert price == {"price": "0.0021", "asks": False} and done["price"] == "0.0021"
    assert sum(before.values()) - sum(stack.balances().values()) == 2_100, "paid once"
    (file,) = done["files"]
    assert Path(file["path"]) == stack.home / "mirrored-edited.png"
    with Image.open(file["path"]) as picture, Image.open(stack.home / "mirrored.png") as source:
        assert picture.size == (file["width"], file["height"]) == (1024, 1024)
        assert source.size != picture.size or picture.tobytes() != source.tobytes()
    assert kinds(result) == ["text", "image", "resource_link"]
    thumbnail, link = result.content[1], result.content[2]
    assert isinstance(thumbnail, ImageContent) and isinstance(link, ResourceLink)
    assert len(thumbnail.data) <= 1_000_000
    with Image.open(io.BytesIO(base64.b64decode(thumbnail.data))) as small:
        assert max(small.size) == 768 and small.get_format_mimetype() == thumbnail.mime_type
    assert str(link.uri) == Path(file["path"]).as_uri()
    assert steps and "Editing" in steps
    assert by_job == again == done, "the same edit is the same job"


async def test_above_the_limit_the_user_is_asked(stack: Everything) -> None:
    before = stack.balances()
    refusals = [ElicitResult(action="decline"), ElicitResult(action="accept", content={"pay": False})]
    for answer in refusals:
        user = User(answer)
        async with connected(stack.home, user=user) as agent:
            refused = await agent.call_tool("edit_image", {**DEAR, "prompt": "make it sepia"})
        assert refused.is_error and "did not agree to pay $0.105" in text(refused)
        assert user.questions == ["Pay $0.105 in USDC for this edit? “make it sepia”"]
    assert stack.balances() == before
    user = User(YES)
    async with connected(stack.home, user=user) as agent:
        done = said(await agent.call_tool("edit_image", {**DEAR, "prompt": "make it sepia", "wait_seconds": 120}))
    assert len(done["files"]) == 5 and done["price"] == "0.105" and len(user.questions) == 1
    assert sum(before.values()) - sum(stack.balances().values()) == 105_000


async def test_who_cannot_ask_is_refused_and_caps_hold(stack: Everything) -> None:
    before = stack.balances()
    async with connected(stack.home) as agent:
        dear = await agent.call_tool("edit_image", {**DEAR, "prompt": "make it warmer", "max_price": "5"})
        low = await agent.call_tool(
            "edit_image", {"image": "cat.jpg", "prompt": "make it warmer", "model": "studio", "max_price": 0.001}
        )
    assert dear.is_error and "cannot ask its user" in text(dear) and "Nothing was signed" in text(dear)
    assert low.is_error and "costs $0.0021, more than the $0.001 allowed" in text(low)
    assert stack.balances() == before


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "image"),
    ({"image": "cat.jpg"}, "prompt"),
    ({"image": "cat.jpg", "prompt": 7}, "prompt"),
    ({"image": [], "prompt": "x"}, "length"),
    ({"image": "cat.jpg", "prompt": "x", "colour": "red"}, "colour"),
    ({"image": "cat.jpg", "prompt": "x", "n": 11}, "n"),
    ({"image": "cat.jpg", "prompt": "x", "max_price": "much"}, "max_price"),
    ({"image": "/etc/passwd", "prompt": "x"}, "outside the folders"),
    ({"image": "cat.jpg", "mask": "../" * 12 + "etc/hostname", "prompt": "x"}, "outside the folders"),
    ({"image": "link.png", "prompt": "x"}, "outside the folders"),
    ({"image": "notes.txt", "prompt": "x"}, "image"),
    ({"image": "no\nsuch\x1b[2J.png", "prompt": "x"}, r"no\nsuch\x1b[2J.png"),
    ({"image": "nul\0.png", "prompt": "x"}, "is not a path"),
    ({"image": ".", "prompt": "x"}, "is a folder"),
    ({"image": "cat.jpg", "prompt": "x", "output": "/etc/cat.png"}, "outside the allowed folders"),
    ({"image": "cat.jpg", "prompt": "x", "output": "~/.bashrc"}, "not named as a picture"),
    ({"image": "cat.jpg", "prompt": "x", "output": "nowhere/cat.png"}, "no such folder"),
    ({"image": "cat.jpg", "prompt": "make it explode into dragons", "model": "studio"}, "dragons"),
    ({"image": "cat.jpg", "prompt": "x", "model": "dall-e"}, "dall-e"),
]
"""Arguments of edit_image, and a part of what is said of them."""


async def test_what_is_wrong_is_said(stack: Everything) -> None:
    (stack.home / "notes.txt").write_text("secret notes")
    (stack.home / "link.png").symlink_to("/etc/passwd")
    before = stack.balances()
    async with connected(stack.home) as agent:
        for arguments, words in WRONG:
            refused = await agent.call_tool("edit_image", arguments)
            assert refused.is_error and words in text(refused), (arguments, text(refused))
            assert "secret" not in text(refused) and "\x1b" not in text(refused)
    assert stack.balances() == before


async def test_what_is_not_there(stack: Everything) -> None:
    async with connected(stack.home) as agent:
        lost = await agent.call_tool("get_job", {"job": "0" * 16})
        assert lost.is_error and "no job" in text(lost)
        for wrong in (agent.call_tool("shell", {"command": "id"}), agent.get_prompt("nothing")):
            with pytest.raises(MCPError):
                await wrong


async def test_the_prompt_is_the_slash_line(stack: Everything) -> None:
    async with connected(stack.home) as agent:
        (prompt,) = (await agent.list_prompts()).prompts
        assert prompt.name == "img2img"
        line = """/img2img --image "~/my photo.png" --max-price $0.05 don't add a hat"""
        got = await agent.get_prompt("img2img", {"line": line})
        content = got.messages[0].content
        assert isinstance(content, TextContent)
        told = json.loads(content.text.partition("\n\n")[2])
        assert told == {"image": ["~/my photo.png"], "prompt": "don't add a hat", "max_price": "0.05"}
        with pytest.raises(MCPError, match="no picture was given"):
            await agent.get_prompt("img2img", {"line": "add a hat"})


async def test_the_high_level_client_agrees_on_a_version(stack: Everything) -> None:
    """It first tries a protocol of its own future."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "tollbrush", "mcp"], env=environment(stack.home), cwd=stack.home
    )
    async with Client(server) as agent:
        assert agent.protocol_version == "2025-11-25"
        assert {tool.name for tool in (await agent.list_tools()).tools} == TOOLS


def test_it_starts_light(stack: Everything) -> None:
    """The handshake needs neither the official server, nor pixels, nor keys; under a second of CPU, bytecode or not."""
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello})
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tollbrush", "mcp"],
        input=line + "\n", env=environment(stack.home), cwd=stack.home, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert json.loads(ran.stdout)["result"]["serverInfo"]["name"] == "tollbrush"
    heavy = [
        name for name in ("numpy", "PIL.Image", "solders", "mcp_types", "cv2", "httpx2") if f" {name}\n" in ran.stderr
    ]
    assert heavy == []
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0


# ── straight at a gateway, where slow edits are jobs ────────────────────────────────────────────────────


def direct(shop: Shop, folder: Path) -> dict[str, str]:
    """The environment of a user with a funded wallet and no router."""
    wallet = Wallet.create()
    shop.base.fund(wallet.evm_address, FUNDS)
    networks = {"base-sepolia": {"rpc_url": shop.base.rpc_url}, "solana-devnet": {"rpc_url": shop.solana.rpc_url}}
    (folder / "photo.png").write_bytes(photo(96, 96))
    return {
        "TOLLBRUSH_DATA_DIR": str(folder / "data"),
        "TOLLBRUSH_NETWORKS": json.dumps(networks),
        "TOLLBRUSH_ROUTER__GATEWAY_URL": shop.url,
        "TOLLBRUSH_ROUTER__PORT": "1",  # nothing listens there
        "TOLLBRUSH_WALLET__EVM_KEY": "0x" + wallet.evm_key.hex(),
        "TOLLBRUSH_WALLET__SOLANA_KEY": str(wallet.solana_keypair),
        "WALLET": wallet.evm_address,
    }


async def test_a_slow_edit_is_a_job_and_survives_the_callers_patience(shop: Shop, tmp_path: Path) -> None:
    env = direct(shop, tmp_path)
    asked = {"image": "photo.png", "prompt": "hold: agent", "model": "openai/gpt-image-1", "wait_seconds": 0}
    async with connected(tmp_path, env=env) as agent:
        first = said(await agent.call_tool("edit_image", asked))
        await asyncio.to_thread(shop.await_held, "agent")
        second = said(await agent.call_tool("edit_image", asked))
        assert first == second and first["status"] == "in_progress"
        waiting = asyncio.create_task(agent.call_tool("get_job", {"job": first["job"], "wait_seconds": 100}))
        shop.release("agent")
        done = said(await waiting)
        other = said(await agent.call_tool("edit_image", {**asked, "output": "other.png"}))
        status = said(await agent.call_tool("wallet_status"))
    assert done["status"] == "completed" and done["price"] == "0.021" and done["network"] == "base-sepolia"
    assert shop.base.balance(env["WALLET"]) == FUNDS - 21_000, "paid once"
    assert Path(other["files"][0]["path"]) == tmp_path / "other.png"
    assert filecmp.cmp(done["files"][0]["path"], tmp_path / "other.png", shallow=False)
    assert status["caps"]["hour"]["spent"] == "0.021"


async def test_a_url_needs_a_router_and_a_cap_is_the_owners(shop: Shop, tmp_path: Path) -> None:
    env = direct(shop, tmp_path) | {"TOLLBRUSH_ROUTER__SPENDING__PER_HOUR": "0.01"}
    async with connected(tmp_path, env=env) as agent:
        url = await agent.call_tool("edit_image", {"image": "http://127.0.0.1/x.png", "prompt": "x"})
        over = await agent.call_tool(
            "edit_image", {"image": "photo.png", "prompt": "invert", "model": "openai/gpt-image-1"}
        )
    assert url.is_error and "use a router" in text(url)
    assert over.is_error and "over the cap of $0.01 for an hour" in text(over)
    assert shop.base.balance(env["WALLET"]) == FUNDS


async def test_nobody_to_buy_from(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(photo(96, 96))
    env = {"TOLLBRUSH_ROUTER__GATEWAY_URL": "http://127.0.0.1:1", "TOLLBRUSH_ROUTER__PORT": "1"}
    async with connected(tmp_path, env=env) as agent:
        failed = await agent.call_tool("edit_image", {"image": "photo.png", "prompt": "add a hat"})
    assert failed.is_error and "does not answer" in text(failed)
