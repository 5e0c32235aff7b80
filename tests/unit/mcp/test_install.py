"""What is written into the settings of agents, and what is left alone."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollbrush.cli.app import run
from tollbrush.errors import BadRequest
from tollbrush.mcp import install
from tollbrush.mcp.install import AGENTS

CODEX = """\
# my own
model = "gpt-9"

[mcp_servers.other]  # kept
command = 'x'

[mcp_servers.tollbrush]
command = "/old/tollbrush"
args = []

[mcp_servers.tollbrush.env]
A = "b"

[profiles.p]
k = [
  1,
]
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_installed_twice_and_taken_out_again(
    name: str, platform: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    agent = AGENTS[name]
    assert run(["mcp", "install", "--client", name]) == 0
    path = agent.path()
    assert ("Library" in str(path)) is (platform == "darwin" and name in ("claude-desktop", "vscode"))
    first = path.read_text()
    whole = tomllib.loads(first) if agent.syntax == "toml" else json.loads(first)
    entry = whole[agent.key]["tollbrush"]
    assert Path(entry["command"]).is_absolute() and entry["args"][-1] == "mcp"
    assert run(["mcp", "install", "--client", name]) == 0
    assert path.read_text() == first and "unchanged" in capsys.readouterr().out
    assert run(["mcp", "uninstall", "--client", name]) == 0
    assert "tollbrush" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0, "such files hold keys"


def test_printed_and_not_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in AGENTS:
        assert run(["mcp", "install", "--client", name, "--print", "--data-dir", "/d"]) == 0
        shown = capsys.readouterr().out
        body = shown.partition("\n")[2]
        whole = tomllib.loads(body) if AGENTS[name].syntax == "toml" else json.loads(body)
        assert whole[AGENTS[name].key]["tollbrush"]["args"][-3:] == ["mcp", "--data-dir", "/d"]
    assert list(home.iterdir()) == []


def test_only_the_agents_that_are_here(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mcp", "install"]) == 4
    assert "no agent's settings were found" in capsys.readouterr().err
    (home / ".cursor").mkdir()
    assert run(["mcp", "install", "--json"]) == 0
    assert [change["client"] for change in json.loads(capsys.readouterr().out)] == ["cursor"]
    assert run(["mcp", "install", "--client", "emacs"]) == 4
    assert "Known: claude-desktop" in capsys.readouterr().err


@pytest.mark.parametrize("text", ['{"mcpServers": {,}}', "// mine\n{}", "[]", '{"mcpServers": []}', "\xff"])
def test_what_is_no_json_is_left_alone(home: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / ".cursor/mcp.json"
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    assert run(["mcp", "install", "--client", "cursor"]) == 4
    assert path.read_bytes() == text.encode("latin-1")
    assert "Nothing was changed." in capsys.readouterr().err
    assert list(path.parent.iterdir()) == [path]


def test_a_linked_file_stays_linked_and_the_old_text_is_kept(home: Path) -> None:
    real, link = home / "dotfiles/claude.json", home / ".claude.json"
    real.parent.mkdir()
    before = '{"theme": "dark", "mcpServers": {"x": {"command": "y"}}, "ä": "ü"}'
    real.write_text(before)
    real.chmod(0o640)
    link.symlink_to(real)
    assert run(["mcp", "install", "--client", "claude-code"]) == 0
    assert link.is_symlink()
    whole = json.loads(real.read_text())
    assert whole.pop("mcpServers")["x"] == {"command": "y"} and whole == {"theme": "dark", "ä": "ü"}
    assert "ü" in real.read_text() and real.stat().st_mode & 0o777 == 0o640
    assert (real.parent / "claude.json.before-tollbrush").read_text() == before


def test_toml_around_ours_stays_letter_for_letter() -> None:
    codex = AGENTS["codex"]
    new = install.added(codex, CODEX, {"command": "/new", "args": ["mcp"]})
    assert tomllib.loads(new)["mcp_servers"]["tollbrush"] == {"command": "/new", "args": ["mcp"]}
    assert new.startswith(CODEX[: CODEX.index("[mcp_servers.tollbrush]")])
    assert CODEX[CODEX.index("[profiles.p]") :].rstrip() in new
    gone = install.removed(codex, CODEX)
    assert tomllib.loads(gone)["mcp_servers"] == {"other": {"command": "x"}} and gone.startswith("# my own")


@pytest.mark.parametrize(
    "text",
    [
        'mcp_servers.tollbrush.command = "x"\n',
        'mcp_servers = { tollbrush = { command = "x" } }\n',
        '[mcp_servers]\ntollbrush = { command = "x" }\n',
        'a = """\n[mcp_servers.tollbrush]\n"""\n[mcp_servers.tollbrush]\ncommand = "x"\n',
    ],
)
def test_toml_that_cannot_be_changed_safely_is_not(text: str) -> None:
    with pytest.raises(BadRequest, match="without touching the rest"):
        install.removed(AGENTS["codex"], text)


KEYS = st.text(st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=60)
@given(st.dictionaries(KEYS, JSON, max_size=4), st.dictionaries(KEYS, JSON, max_size=3))
def test_whatever_else_is_there_comes_back(whole: dict[str, Any], servers: dict[str, Any]) -> None:
    servers.pop("tollbrush", None)
    whole["mcpServers"] = servers
    agent = AGENTS["cursor"]
    text = install.added(agent, json.dumps(whole), {"command": "x", "args": []})
    assert json.loads(install.removed(agent, text)) == whole


@given(st.lists(st.text(max_size=12), max_size=4), st.text(max_size=20))
@settings(max_examples=60)
def test_any_path_is_valid_toml(words: list[str], program: str) -> None:
    said = {"command": program, "args": words}
    read = tomllib.loads(install.fragment(AGENTS["codex"], said))
    assert read == {"mcp_servers": {"tollbrush": said}}
