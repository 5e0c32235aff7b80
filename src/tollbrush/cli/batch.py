"""`tollbrush batch`: one prompt for many pictures, within a budget, and never paid twice."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

import typer

from tollbrush.cli.context import DataDir, client_settings
from tollbrush.cli.options import Direct, DryRun, Fit, Format, MaxPrice, Model, NetworkName, Seed, SizeName, Yes
from tollbrush.cli.terminal import Terminal, usage
from tollbrush.errors import BadRequest

_SUFFIX: Final = {None: ".png", "png": ".png", "jpeg": ".jpg", "webp": ".webp"}
_HELP: Final = """Edit many pictures with one prompt.

\b
  tollbrush batch photos/ "remove the background" --jobs 4 --budget 2.00
  tollbrush batch photos/ "remove the background" --budget 2.00 --resume
  tollbrush batch 'shots/**/*.jpg' "make it sepia" -o sepia/ --dry-run
  tollbrush batch photos/ "add a hat" -m masks/

Results go to PHOTOS-edited/ under the same names, with a run file beside them: --resume skips what is finished and
pays for nothing twice. -m is one mask for all, or a folder with a mask of the same name for each. One bad picture
does not end the batch; the exit code says what failed.
"""


def register(app: typer.Typer) -> None:
    app.command(help=_HELP)(batch)


def batch(
    words: Annotated[list[str], typer.Argument(metavar="PICTURES… PROMPT", help="Folders, files or patterns.")],
    mask: Annotated[
        str | None,
        typer.Option("-m", "--mask", metavar="FILE|FOLDER", help="White is edited.", show_default=False),
    ] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FOLDER", help="For the results.", show_default=False)
    ] = None,
    jobs: Annotated[int, typer.Option(help="How many at a time.", min=1, max=32)] = 4,
    budget: Annotated[
        str | None, typer.Option(metavar="USD", help="Dollars for the whole batch.", show_default=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an earlier run.")] = False,
    model: Model = None,
    size: SizeName = None,
    seed: Seed = None,
    fit: Fit = None,
    output_format: Format = None,
    max_price: MaxPrice = None,
    network: NetworkName = None,
    direct: Direct = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line for each picture, and one at the end.")] = False,
) -> int:
    """See _HELP."""
    from tollbrush.cli.batch_flow import Call, carry_out
    from tollbrush.cli.batch_plan import plan
    from tollbrush.client.inputs import price_limit
    from tollbrush.domain.edits import check_choice, check_prompt

    if len(words) < 2:
        usage('give pictures and a prompt: tollbrush batch photos/ "remove the background"')
    prompt = check_prompt(words[-1])
    if output_format is not None:
        check_choice(output_format, "--format", ("png", "jpeg", "webp"))
    said = {"model": model, "size": size, "seed": seed, "fit": fit, "output_format": output_format}
    options = {name: value for name, value in said.items() if value is not None}
    options |= {"network": network} if network else {}
    call = Call(
        plan=plan(words[:-1], mask=mask, output=output, suffix=_SUFFIX[output_format]),
        prompt=prompt,
        options=options,
        jobs=jobs,
        budget=_dollars(budget),
        dearest=price_limit(max_price),
        resume=resume,
        direct=direct,
        yes=yes,
        dry_run=dry_run,
    )
    return carry_out(call, client_settings(data_dir), Terminal(as_json=as_json))


def _dollars(text: str | None) -> Decimal | None:
    """Raises BadRequest."""
    if text is None:
        return None
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(0)
    if not 0 < amount < 10**6:
        raise BadRequest(f"--budget {text[:40]!r} is not an amount of dollars.", advice="For example: --budget 2.00")
    return amount
