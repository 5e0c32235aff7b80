"""Options that several commands share, with their help and what the shell proposes for them."""

from __future__ import annotations

from typing import Annotated

import typer

from tollbrush.cli import completion

Output = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="Where the picture goes; - is stdout.", show_default=False),
]
NetworkName = Annotated[
    str | None,
    typer.Option(
        "--network", help="Pay on it: base, solana, …", show_default=False, autocompletion=completion.networks
    ),
]
Direct = Annotated[bool, typer.Option("--direct", help="Pay from here even where a router runs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a dear edit.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell the price and stop; nothing is signed or paid.")]
NoPreview = Annotated[bool, typer.Option("--no-preview", help="Show no picture in the terminal.")]
Model = Annotated[
    str | None,
    typer.Option(help="Which model; see: tollbrush models", show_default=False, autocompletion=completion.models),
]
SizeName = Annotated[
    str | None, typer.Option(help="WIDTHxHEIGHT, or auto.", show_default=False, autocompletion=completion.sizes)
]
Count = Annotated[int | None, typer.Option("--n", help="How many pictures.", show_default=False)]
Seed = Annotated[int | None, typer.Option(help="The same seed, the same picture (studio).", show_default=False)]
Fit = Annotated[
    str | None,
    typer.Option(
        help="How the source fits another size: crop, pad or stretch.",
        show_default=False,
        autocompletion=completion.fits,
    ),
]
Mask = Annotated[
    str | None, typer.Option("-m", "--mask", help="A picture: white is edited, black is kept.", show_default=False)
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="png, jpeg or webp.", show_default=False, autocompletion=completion.formats),
]
MaxPrice = Annotated[str | None, typer.Option(metavar="USD", help="Dollars it may cost at most.", show_default=False)]
