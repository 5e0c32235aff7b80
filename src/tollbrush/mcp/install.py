"""`tollbrush mcp` in the configuration of agents: one entry is added or removed, everything else stays as it is.

The paths are those that each agent publishes for its user's own settings, on Linux and macOS.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from tollbrush.errors import BadRequest

NAME: Final = "tollbrush"
_BACKUP: Final = ".before-tollbrush"
_TOML_TABLE = re.compile(r"\s*\[\s*mcp_servers\s*\.\s*[\"']?tollbrush[\"']?\s*[.\]]")


@dataclass(frozen=True)
class Agent:
    """`path` below home, by platform where they differ; servers are listed under `key`."""

    name: str
    title: str
    linux: str
    mac: str
    key: str = "mcpServers"
    typed: bool = False
    """Whether an entry says that it speaks over stdio."""
    syntax: Literal["json", "toml"] = "json"

    def path(self) -> Path:
        return Path.home() / (self.mac if sys.platform == "darwin" else self.linux)


_MAC: Final = "Library/Application Support"
AGENTS: Final = {
    agent.name: agent
    for agent in (
        Agent(
            "claude-desktop",
            "Claude Desktop",
            ".config/Claude/claude_desktop_config.json",
            f"{_MAC}/Claude/claude_desktop_config.json",
        ),
        Agent("claude-code", "Claude Code", ".claude.json", ".claude.json", typed=True),
        Agent("cursor", "Cursor", ".cursor/mcp.json", ".cursor/mcp.json"),
        Agent(
            "vscode",
            "VS Code",
            ".config/Code/User/mcp.json",
            f"{_MAC}/Code/User/mcp.json",
            key="servers",
            typed=True,
        ),
        Agent("windsurf", "Windsurf", ".codeium/windsurf/mcp_config.json", ".codeium/windsurf/mcp_config.json"),
        Agent("codex", "Codex", ".codex/config.toml", ".codex/config.toml", key="mcp_servers", syntax="toml"),
        Agent("gemini", "Gemini CLI", ".gemini/settings.json", ".gemini/settings.json"),
    )
}


def find(names: Sequence[str]) -> list[Agent]:
    """These agents; without names those that this user has. Raises BadRequest."""
    known = ", ".join(AGENTS)
    for name in names:
        if name not in AGENTS:
            raise BadRequest(f"there is no agent {name[:40]!r} here.", advice=f"Known: {known}.")
    if names:
        return [AGENTS[name] for name in names]
    found = [agent for agent in AGENTS.values() if _is_here(agent)]
    if not found:
        raise BadRequest("no agent's settings were found.", advice=f"Name one with --client: {known}.")
    return found


def command() -> list[str]:
    """How an agent, which knows nothing of this environment, starts this very program."""
    script = Path(sys.executable).parent / NAME
    # -P: a file tollbrush.py in the agent's working folder is not what is meant.
    return [str(script)] if script.is_file() else [sys.executable, "-P", "-m", NAME]


def entry(agent: Agent, words: Sequence[str]) -> dict[str, Any]:
    program, *first = command()
    said: dict[str, Any] = {"type": "stdio"} if agent.typed else {}
    return said | {"command": program, "args": [*first, *words]}


def fragment(agent: Agent, said: Mapping[str, Any]) -> str:
    """What stands in its file."""
    if agent.syntax == "toml":
        # JSON's strings and lists of strings are TOML's as well, but for one character.
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in said.items()]
        lines = [line.replace("\x7f", "\\u007f") for line in lines]
        return "\n".join([f"[{agent.key}.{NAME}]", *lines]) + "\n"
    return json.dumps({agent.key: {NAME: said}}, indent=2, ensure_ascii=False) + "\n"


def added(agent: Agent, text: str, said: Mapping[str, Any]) -> str:
    """The file's text with our entry. Raises BadRequest for a file that is not what it should be."""
    servers = _servers(agent, text)
    if servers.get(NAME) == said:
        return text
    if agent.syntax == "json":
        whole = json.loads(text) if text.strip() else {}
        whole.setdefault(agent.key, {})[NAME] = dict(said)
        return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    rest = _without_table(agent, text)
    return f"{rest.rstrip()}\n\n{fragment(agent, said)}".lstrip()


def removed(agent: Agent, text: str) -> str:
    """The file's text without our entry. Raises BadRequest."""
    if NAME not in _servers(agent, text):
        return text
    if agent.syntax == "json":
        whole = json.loads(text)
        del whole[agent.key][NAME]
        return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    return _without_table(agent, text)


def read(path: Path) -> str:
    """ "" when there is none. Raises BadRequest."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as failure:
        raise BadRequest(f"{path} cannot be read: {failure}.", advice="Nothing was changed.") from failure


def write(path: Path, text: str) -> Path | None:
    """In one step, links followed, with the old text beside it; where that is, when there was one. Raises
    BadRequest."""
    real = path.resolve()
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        kept = None
        if real.exists():
            kept = real.with_name(real.name + _BACKUP)
            shutil.copy2(real, kept)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=real.parent, delete=False) as draft:
            draft.write(text)
        Path(draft.name).chmod(real.stat().st_mode & 0o777 if kept else 0o600)
        Path(draft.name).replace(real)
    except OSError as failure:
        raise BadRequest(f"{path} cannot be written: {failure.strerror}.", advice="It is as it was.") from failure
    return kept


def _is_here(agent: Agent) -> bool:
    path = agent.path()
    return path.exists() or (path.parent != Path.home() and path.parent.is_dir())


def _servers(agent: Agent, text: str) -> Mapping[str, Any]:
    """The servers that the file lists. Raises BadRequest."""
    try:
        whole = tomllib.loads(text) if agent.syntax == "toml" else json.loads(text or "{}")
    except (ValueError, RecursionError) as wrong:
        kind = agent.syntax.upper()
        raise BadRequest(
            f"{agent.path()} is not valid {kind} ({wrong}).", advice="Nothing was changed. Correct it, or add: --print."
        ) from wrong
    servers = whole.get(agent.key, {}) if isinstance(whole, dict) else None
    if not isinstance(servers, dict):
        raise BadRequest(f"{agent.path()} holds no table {agent.key}.", advice="Nothing was changed. Correct it.")
    return servers


def _without_table(agent: Agent, text: str) -> str:
    """Without our table and those below it, all else letter for letter. Raises BadRequest when it is written in
    another way than as a table of its own."""
    kept, ours = [], False
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("["):
            ours = _TOML_TABLE.match(line) is not None
        if not ours:
            kept.append(line)
    rest = "".join(kept)
    before = tomllib.loads(text)
    before.get(agent.key, {}).pop(NAME, None)
    try:
        same = _pruned(agent, tomllib.loads(rest)) == _pruned(agent, before)
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise BadRequest(
            f"{agent.path()} names {NAME} in a way that cannot be changed without touching the rest.",
            advice=f"Nothing was changed. Take {agent.key}.{NAME} out by hand.",
        )
    return rest


def _pruned(agent: Agent, whole: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in whole.items() if name != agent.key or value}
