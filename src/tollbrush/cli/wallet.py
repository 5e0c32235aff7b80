"""`tollbrush wallet …`"""

import typer

app = typer.Typer(help="The wallet that pays.", no_args_is_help=True)
