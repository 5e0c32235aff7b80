"""Everything the README says is true: its commands run, its links lead somewhere, its tables are the catalog's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from support.pictures import photo
from support.stack import Everything, environment
from tollbrush.cli.demo import COMMANDS
from tollbrush.domain.catalog import MODELS, Catalog
from tollbrush.domain.edits import Size
from tollbrush.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def block(language: str, word: str) -> str:
    """The one block of this language that holds the word."""
    (found,) = [text for kind, text in BLOCKS if kind == language and word in text]
    return str(found)


def shell(stack: Everything, script: str, **env: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=stack.home,
        env=environment(stack.home) | {"PATH": path} | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_first_screen() -> None:
    top = README.splitlines()[:25]
    assert top[0] == "# tollbrush"
    assert any(line.startswith("![") for line in top)
    assert [command for _, command in COMMANDS] == block("", "/img2img").splitlines()


def test_the_two_commands_exist() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"^make (\w+)", block("sh", "make demo"), re.MULTILINE)
    assert named == ["demo", "test"]
    assert {"demo", "test", "lint", "bench", "e2e"} <= set(targets)


@pytest.mark.parametrize("link", re.findall(r"\]\(((?!https?:)[^)#]+)\)", README))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_the_picture_is_one() -> None:
    with Image.open(ROOT / "docs/images/starry-sky.jpg") as image:
        assert image.size[0] >= 1000


def test_prices_are_the_catalogs() -> None:
    catalog = Catalog.build(frozenset(m.id for m in MODELS))
    rows = dict(re.findall(r"^\| `(openai/[^`]+)` \| ([^|]+) \|", README, re.MULTILINE))
    assert len(rows) == 2
    for name, cell in rows.items():
        stated = {Size.parse(size): Decimal(price) for size, price in re.findall(r"(\d+x\d+) \$([\d.]+)", cell)}
        model = catalog.find(name)
        assert stated == {size: catalog.price(model, size).dollars for size in model.sizes.listed()}
    small, large = re.findall(r"\$([\d.]+)", re.findall(r"^\| `tollbrush/studio` \|.*$", README, re.MULTILINE)[0])
    studio = catalog.find("studio")
    assert catalog.price(studio, Size(1500, 1000)).dollars == Decimal(small)
    assert catalog.price(studio, Size(4096, 4096)).dollars == Decimal(large)


def test_the_rooms_are_there() -> None:
    named = re.findall(r"(\w+)/ +\S", block("", "src/tollbrush/"))
    rooms = {p.name for p in (ROOT / "src/tollbrush").iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert set(named) == rooms | {"playground"}, "the page is there once it is built"


def test_the_engines_are_there() -> None:
    (line,) = re.findall(r"^  engines/ +(.+)$", README, re.MULTILINE)
    engines = {p.name for p in (ROOT / "src/tollbrush/engines").iterdir() if (p / "engine.py").exists()}
    assert engines and engines <= set(re.findall(r"\w+", line))


def test_every_guide_and_page_of_the_reference_is_linked() -> None:
    pages = {
        f"docs/{p.parent.name}/{p.name}" for room in ("guide", "reference") for p in (ROOT / "docs" / room).iterdir()
    }
    assert pages and pages <= set(re.findall(r"\]\(([^)]+)\)", README))


def test_the_hosts_settings_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    exports = dict(re.findall(r"^export (\w+)=(\S+)", block("sh", "tollbrush serve"), re.MULTILINE))
    for name, value in exports.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.networks["base"].pay_to == "0xYourAddress"
    assert settings.networks["base"].settle_key.get_secret_value() == "0xKeyThatPaysGas"
    assert settings.engines.openai.api_key.get_secret_value().startswith("sk-")


@pytest.mark.e2e
def test_the_python_snippet(stack: Everything) -> None:
    # Only the port differs: tests take a free one.
    code = block("python", "Client").replace("Client()", f"Client(router={stack.router!r})")
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=stack.home, env=environment(stack.home), capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("$0.021 ")
    with Image.open(stack.home / "starry.png") as image:
        assert image.size == (1024, 1024)


@pytest.mark.e2e
def test_the_terminal_commands(stack: Everything) -> None:
    out = shell(stack, block("sh", "tollbrush quote"))
    assert "$0.0021" in out
    assert "0x" in out
    with Image.open(stack.home / "bw.png") as image:
        low, high = image.convert("HSV").getchannel("S").getextrema()
        assert (low, high) == (0, 0)


@pytest.mark.e2e
def test_the_published_curl(stack: Everything) -> None:
    (stack.home / "small.png").write_bytes(photo(96, 96))
    out = shell(stack, block("sh", "PAYMENT_HEADER"), GATEWAY=str(stack.said["gateway"]))
    assert '"status":"settled"' in out
    assert '"model":"tollbrush/studio"' in out
