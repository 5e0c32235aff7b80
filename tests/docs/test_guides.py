"""Every command and snippet of the guides runs, every link leads somewhere, every settings block is one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support.stack import Everything, environment
from tollbrush.settings import Settings

FOLDER = Path(__file__).parents[2] / "docs/guide"
GUIDES = sorted(FOLDER.glob("*.md"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOREGROUND = re.compile(r"^(tollbrush (?:up|serve|route|devnet)\b.*)$", re.MULTILINE)


def blocks(language: str) -> list[tuple[Path, str]]:
    return [(path, text) for path in GUIDES for kind, text in BLOCK.findall(path.read_text()) if kind == language]


def ident(value: object) -> str:
    return value.stem if isinstance(value, Path) else str(value).splitlines()[-1][:50]


def run(stack: Everything, words: list[str], **more: str) -> str:
    """As the user of the running stack, who has its wallet and its chains."""
    env = (
        environment(stack.home)
        | more
        | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GATEWAY": str(stack.said["gateway"]),
        }
    )
    ran = subprocess.run(
        words, cwd=stack.home, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150
    )
    assert ran.returncode == 0, ran.stderr or ran.stdout
    return ran.stdout


def test_there_is_a_guide_for_each_reader() -> None:
    assert [path.stem for path in GUIDES] == [
        "agents",
        "first-edit",
        "gpus",
        "hosting",
        "page",
        "python",
        "ray",
        "wallets",
    ]
    for path in GUIDES:
        assert path.read_text().startswith("# ") and len(path.read_text().splitlines()) < 150
        assert {kind for kind, _ in BLOCK.findall(path.read_text())} <= {"", "sh", "python", "toml"}


@pytest.mark.parametrize("path", GUIDES, ids=ident)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(((?!https?:)[^)#]+)\)", path.read_text()):
        assert (path.parent / link).exists(), link


@pytest.mark.parametrize("path", GUIDES, ids=ident)
def test_variables_are_settings(path: Path) -> None:
    known = (FOLDER.parent / "reference/settings.md").read_text()
    for name in set(re.findall(r"TOLLBRUSH_\w+", path.read_text())):
        assert f"`{re.sub('NETWORKS__[A-Z]+__', 'NETWORKS__NETWORK__', name)}`" in known, name


@pytest.mark.parametrize(("path", "text"), blocks("toml"), ids=ident)
def test_settings_are_settings(path: Path, text: str) -> None:
    said = Settings(**tomllib.loads(text))
    assert said.model_fields_set == set(tomllib.loads(text))


def test_the_caps_shown_are_the_defaults() -> None:
    ((_, text),) = [(path, text) for path, text in blocks("toml") if path.stem == "wallets"]
    assert Settings(**tomllib.loads(text)).router == Settings().router


@pytest.mark.e2e
@pytest.mark.parametrize(("path", "text"), blocks("sh"), ids=ident)
def test_commands_run(stack: Everything, path: Path, text: str, tmp_path: Path) -> None:
    """What stays in the foreground runs already: only its spelling is tried. A new wallet needs a new folder."""
    fresh = {"TOLLBRUSH_DATA_DIR": str(tmp_path)} if "wallet new" in text else {}
    out = run(stack, ["bash", "-euo", "pipefail", "-c", FOREGROUND.sub(r"\1 --help", text)], **fresh)
    assert out.strip() or "-o" in text


@pytest.mark.e2e
@pytest.mark.parametrize(("path", "text"), blocks("python"), ids=ident)
def test_snippets_run(stack: Everything, path: Path, text: str) -> None:
    """Only ports and the wallet's folder differ: tests take free ones."""
    code = text.replace("Client()", f"Client(router={stack.router!r})")
    code = code.replace("http://localhost:8402", stack.router).replace("http://localhost:8401", stack.said["gateway"])
    chains = {name: {"rpc_url": url} for name, url in stack.said["chains"].items()}
    where = f"import os\nos.environ |= {{'TOLLBRUSH_DATA_DIR': {stack.said['data_dir']!r}}}\n"
    where += f"import json\nos.environ['TOLLBRUSH_NETWORKS'] = json.dumps({chains!r})\n"
    assert run(stack, [sys.executable, "-c", where + code]).strip()
