"""All commands together, and what becomes of their errors."""

from __future__ import annotations

import sys
from typing import Final

import typer
from typer.exceptions import Abort, Exit, TyperException

from tollbrush.cli import agents, batch, demo, doctor, edits, history, ledger, models, ray, servers, wallet
from tollbrush.cli.terminal import INTERRUPTED, fail, safe
from tollbrush.errors import TollbrushError

_SLASH: Final = "/img2img"

app = typer.Typer(
    name="tollbrush",
    help="Edit pictures and pay for each: USDC over x402, on Base and on Solana.",
    epilog="Try: tollbrush up, then: tollbrush '/img2img --image photo.png add a hat'",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich's help costs 0.25 s of imports
    context_settings={"help_option_names": ["-h", "--help"]},
)
servers.register(app)
edits.register(app)
batch.register(app)
app.add_typer(history.app, name="history")
app.add_typer(wallet.app, name="wallet")
app.add_typer(models.app, name="models")
app.add_typer(ray.app, name="ray")
app.add_typer(agents.app, name="mcp")
doctor.register(app)
ledger.register(app)
demo.register(app)


def run(argv: list[str]) -> int:
    """Do what the words say; the exit code. No error leaves a traceback."""
    try:
        result = app(_slash_as_command(argv), prog_name="tollbrush", standalone_mode=False)
    except TollbrushError as error:
        return fail(error, as_json="--json" in argv)
    except TyperException as wrong:
        command = getattr(getattr(wrong, "ctx", None), "command_path", "tollbrush")
        print(f"tollbrush: {safe(wrong.format_message())} See: {command} --help", file=sys.stderr)
        return wrong.exit_code
    except (Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exit as stop:
        return stop.exit_code
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stderr.close()
        return 0
    return result if isinstance(result, int) else 0


def _slash_as_command(argv: list[str]) -> list[str]:
    """`tollbrush '/img2img …'` as typed in a chat: one argument, or words that the shell has split."""
    if not argv or not argv[0].lstrip().startswith(_SLASH):
        return argv
    return ["img2img", *argv]
