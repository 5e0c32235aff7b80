"""docs/reference/*.md, written from the program itself: `python -m scripts.reference`. A test keeps them true."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args, get_origin

import typer
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from tollbrush import errors, settings
from tollbrush.cli.app import app
from tollbrush.cli.terminal import exit_code
from tollbrush.domain.catalog import MODELS, Catalog
from tollbrush.gateway.openapi import document
from tollbrush.router.routes import Routes

FOLDER: Final = Path(__file__).parents[1] / "docs/reference"
_NOTE: Final = "<!-- Written by `python -m scripts.reference`. Change the program, not this page. -->\n"
_EXITS: Final = "0 done · 1 something is wrong here · 2 usage · 130 interrupted; for errors see [errors](errors.md)."


def pages() -> dict[str, str]:
    """File name → content."""
    made = {"cli.md": _cli(), "settings.md": _settings(), "api.md": _api(), "errors.md": _errors()}
    return {name: f"{_NOTE}\n{text.rstrip()}\n" for name, text in made.items()}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)


# ── commands ────────────────────────────────────────────────────────────────────────────────────────────


def _cli() -> str:
    root = typer.main.get_command(app)
    sections = [text for words, command in _commands(root, ("tollbrush",)) for text in _command(words, command)]
    return "\n".join(["# Commands", "", str(root.help), "", f"Exit codes: {_EXITS}", "", *sections])


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", {})
    if len(words) > 1 and not (inner and command.no_args_is_help):
        yield words, command
    for name, one in inner.items():
        if not one.hidden:
            yield from _commands(one, (*words, name))


def _command(words: tuple[str, ...], command: Any) -> Iterator[str]:
    summary, _, rest = (command.help or "").partition("\n\n")
    shown = [p for p in command.params if not p.hidden and "--help" not in p.opts]
    arguments = [_argument(p) for p in shown if p.param_type_name == "argument"]
    yield f"## {' '.join(words)}\n"
    yield " ".join(summary.split()) + "\n"
    for paragraph in filter(None, rest.split("\n\n")):
        laid_out = paragraph.removeprefix("\b\n")  # click's mark: its lines stand as they are
        is_text = laid_out == paragraph
        yield " ".join(paragraph.split()) + "\n" if is_text else f"```\n{textwrap.dedent(laid_out)}\n```\n"
    yield f"`{' '.join([*words, *(['[OPTIONS]'] if len(arguments) < len(shown) else []), *arguments])}`\n"
    if shown:
        yield "| | | |\n|---|---|---|"
        yield from (_row(_flag(p), p.help or "", _default(p)) for p in shown)
        yield ""


def _argument(parameter: Any) -> str:
    name = str(parameter.metavar or parameter.name.upper()) + ("…" if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def _flag(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_argument(parameter)}`"
    flags = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    value = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
    return flags + value + (" …" if parameter.multiple else "")


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    shown = parameter.default
    return "" if shown in (None, False, [], "") or callable(shown) else f"`{shown}`"


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────


def _settings() -> str:
    head = """# Settings

Each is an environment variable, or a line in `./tollbrush.toml`, or in `config.toml` of the user's configuration folder
(`~/.config/tollbrush` on Linux, `~/Library/Application Support/tollbrush` on macOS); flags win over the environment,
the environment over files. `TOLLBRUSH_GATEWAY__PORT=9000` is the same as

```toml
[gateway]
port = 9000
```

Lists and tables are JSON in the environment. `NETWORK` stands for a network: `BASE`, `SOLANA`, `BASE_SEPOLIA`,
`SOLANA_DEVNET` (in TOML `base`, `solana`, `base-sepolia`, `solana-devnet`).
"""
    return "\n".join([head, *_part(settings.Settings, "TOLLBRUSH", "Everywhere")])


def _part(model: type[BaseModel], prefix: str, title: str) -> Iterator[str]:
    """A table of its settings, then those of its parts. Without `prefix`: the fields of an entry in a list."""
    told, inner = _attribute_docs(model), list[tuple[Any, str, str]]()
    yield f"## {title}\n\n| Variable | Default | |\n|---|---|---|"
    for name, field in model.model_fields.items():
        variable = f"{prefix}{'_' if prefix == 'TOLLBRUSH' else '__'}{name.upper()}" if prefix else name
        below = name if prefix == "TOLLBRUSH" else f"{title}.{name}"
        if part := next((kind for kind in get_args(field.annotation) if _is_part(kind)), None):
            is_list = get_origin(field.annotation) is tuple
            entry = "" if is_list else f"{variable}__{name.upper().removesuffix('S')}"
            inner.append((part, entry, f"{below}, a list" if is_list else below))
        elif _is_part(field.annotation):
            inner.append((field.annotation, variable, below))
        else:
            yield _row(f"`{variable}`", _field_default(name, field), told.get(name, ""))
    yield ""
    for kind, variable, name in inner:
        yield from _part(kind, variable, name)


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _field_default(name: str, field: FieldInfo) -> str:
    value = field.default
    if name == "data_dir":
        return "the platform's folder for data"
    if isinstance(value, SecretStr) or value in ("", (), {}, None) or field.is_required():
        return "required" if field.is_required() else ""
    if isinstance(value, bool | tuple):
        value = json.dumps(value)
    return f"`{value}`"


def _attribute_docs(model: type) -> dict[str, str]:
    """Field → the string that stands below it in the source; a literal's choices when there is none."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(body, ast.ClassDef)
    told: dict[str, str] = {}
    for field, following in zip(body.body, body.body[1:], strict=False):
        match field, following:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(value=ast.Constant(str(text))):
                told[name] = " ".join(text.split())
    for name, info in getattr(model, "model_fields", {}).items():
        if (choices := get_args(info.annotation)) and all(isinstance(c, str) for c in choices):
            told[name] = " ".join(filter(None, [told.get(name), f"One of {', '.join(choices)}."]))
    return told


# ── the API ─────────────────────────────────────────────────────────────────────────────────────────────


def _api() -> str:
    said = document(Catalog.build(frozenset(model.id for model in MODELS)))
    lines = [
        "# API",
        "",
        said["info"]["description"],
        "The same as OpenAPI 3.1: `GET /openapi.json` of a gateway.",
        "",
        "## The gateway",
        "",
    ]
    for path, methods in said["paths"].items():
        for method, operation in methods.items():
            lines += _operation(f"{method.upper()} {path}", operation)
    lines += ["## Schemas", ""]
    for name, schema in said["components"]["schemas"].items():
        lines += [f"### {name}", "", *_properties(schema), ""]
    return "\n".join([*lines, *_router()])


def _router() -> Iterator[str]:
    yield "## The router\n"
    yield (
        "On this machine alone, at `http://127.0.0.1:8402`. `image` and `mask` may also be a local path or an http(s) "
        "URL. It pays by itself and never answers 402. The routes of images and models also answer under `/api`.\n"
    )
    yield "| Route | |\n|---|---|"
    # The routes need no router until they are called.
    for route in Routes.__new__(Routes).table():
        told = inspect.getdoc(route.endpoint) or ""
        for method in () if route.path.startswith("/api") else sorted((route.methods or set()) - {"HEAD"}):
            yield _row(f"`{method} {route.path}`", told.partition("\n\n")[0])


def _operation(title: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"### `{title}`\n"
    yield f"{operation['summary']}\n"
    for parameter in operation.get("parameters", ()):
        yield f"- {parameter['in']} `{parameter['name']}`: {parameter.get('description', '')}".rstrip(": ")
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        reference = _type(body["schema"])
        yield f"- body `{kind}`: {reference}"
        if reference == "object" and kind == "application/json":
            yield from ("", *_properties(body["schema"]))
    yield "\n| Status | |\n|---|---|"
    for status, answer in operation["responses"].items():
        yield _row(status, answer["description"])
    yield ""


def _properties(schema: Mapping[str, Any]) -> Iterator[str]:
    if "properties" not in schema:
        yield _type(schema)
        return
    required = schema.get("required", ())
    yield "| Field | Type | |\n|---|---|---|"
    for name, one in schema["properties"].items():
        told = [one["description"]] if "description" in one else []
        told += [f"Default `{one['default']}`."] if "default" in one else []
        yield _row(f"`{name}`{' (required)' if name in required else ''}", _type(one), " ".join(told))


def _type(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"const": value}:
            return f"`{value}`"
        case {"anyOf": kinds} | {"oneOf": kinds}:
            return " or ".join(dict.fromkeys(map(_type, kinds)))
        case {"type": "array", "items": items}:
            return f"list of {_type(items)}"
        case {"type": list(kinds)}:
            return " or ".join(kinds)
        case {"type": str(kind)}:
            low, high = schema.get("minimum"), schema.get("maximum")
            return kind if low is None or high is None else f"{kind} {low}–{high}"
    return "any"


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────


def _errors() -> str:
    lines = [
        "# Errors",
        "",
        "What Python raises (`tollbrush.errors`), what JSON answers name as `code`, and the terminal's exit code.",
        "An indented error is a special case of the one above it.",
        "",
        "| Class | Code | HTTP | Exit | What to do |",
        "|---|---|---|---|---|",
        *(_error(kind, depth) for kind, depth in _tree(errors.TollbrushError, 0)),
    ]
    return "\n".join(lines)


def _tree(kind: type[errors.TollbrushError], depth: int) -> Iterator[tuple[type[errors.TollbrushError], int]]:
    for one in kind.__subclasses__():
        if one.__module__ == errors.__name__:
            yield one, depth
            yield from _tree(one, depth + 1)


def _error(kind: type[errors.TollbrushError], depth: int) -> str:
    blank = kind.__new__(kind)
    name = "&nbsp;&nbsp;" * depth + f"`{kind.__name__}`"
    return _row(name, f"`{kind.code}`", str(kind.status), str(exit_code(blank)), kind.advice)


def _row(*cells: str) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    main()
