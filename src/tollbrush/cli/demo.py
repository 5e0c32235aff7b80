"""`tollbrush demo`: the three published commands on real photographs, paid on both local chains, start to end.

Everything happens inside one folder that the demo made itself; only /tmp/portrait.png lies outside, because the third
command names it, and a file that is there already is never touched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tollbrush.cli.context import Json
from tollbrush.cli.terminal import Terminal
from tollbrush.errors import BadSettings, InternalError

if TYPE_CHECKING:
    from PIL import Image

    from tollbrush.cli.stack import Stack

MARKER: Final = ".tollbrush-demo"
PORTRAIT: Final = Path("/tmp/portrait.png")  # noqa: S108 - the path that the published command names
COMMANDS: Final = (
    ("base-sepolia", "/img2img --image ~/photo.png change the background to a starry sky"),
    ("solana-devnet", "/img2img --image ./cat.jpg --mask ./mask.png remove the background"),
    ("base-sepolia", "/img2img --image /tmp/portrait.png --size 1536x1024 add a hat"),
)
_RESULTS: Final = ("1-starry-sky", "2-cat-without-background", "3-hat")
_SOURCES: Final = ("photo.png", "cat.jpg", "portrait.png")
_CAT: Final = (
    (0, 127), (27, 110), (32, 84), (33, 43), (40, 0), (402, 0), (382, 30), (362, 70), (357, 85), (364, 115),
    (362, 147), (351, 176), (335, 202), (318, 219), (313, 241), (303, 264), (296, 281), (298, 300), (0, 300),
)  # fmt: skip
"""The cat's outline in scikit-image's 451×300 photograph."""


@dataclass(frozen=True)
class Done:
    """One finished command, as reported."""

    command: str
    network: str
    price: str
    tx_hash: str
    file: str
    seconds: float


def register(app: typer.Typer) -> None:
    app.command(hidden=True)(demo)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything; made if missing.")] = Path("demo-out"),
    as_json: Json = False,
) -> None:
    """The whole thing once: local chains, gateway, router, three edits."""
    from tollbrush.cli.stack import Ports, Stack

    terminal = Terminal(as_json=as_json)
    folder = _own(out)
    began = time.monotonic()
    with photographs(folder) as portrait, Stack(folder / "state", Ports(), home=folder, cwd=folder) as stack:
        terminal.note("Starting a local Base, a local Solana, the gateway and the router …")
        stack.start()
        before = _balances(stack)
        terminal.note(f"Ready after {time.monotonic() - began:.1f} s. The wallet: {_told(before)}")
        done = []
        for (network, command), name in zip(COMMANDS, _RESULTS, strict=True):
            done.append(_edit(stack, folder, command.replace(str(PORTRAIT), str(portrait)), network, name))
            terminal.event(vars(done[-1]), *_lines(done[-1]))
        after = _balances(stack)
        for source, name in zip(_SOURCES, _RESULTS, strict=True):
            _side_by_side(folder / source, folder / f"{name}.png", folder / f"{name}-before-after.png")
    shutil.rmtree(folder / "state")
    report = {"edits": [vars(d) for d in done], "before": before, "after": after, "folder": str(folder)}
    (folder / "report.json").write_text(json.dumps(report, indent=2))
    terminal.event(
        {"before": before, "after": after},
        f"Balances before  {_told(before)}",
        f"Balances after   {_told(after)}",
        f"Pictures in {folder}, {time.monotonic() - began:.1f} s in all.",
    )


def _own(out: Path) -> Path:
    """The demo's folder, emptied of an earlier demo. Raises BadSettings when it is somebody else's."""
    folder = out.expanduser().absolute()
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise BadSettings(f"{folder} holds other files.", advice="Name another folder: tollbrush demo --out DIR")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()
    shutil.rmtree(folder / "state", ignore_errors=True)
    for name in (*_SOURCES, "mask.png", *(f"{name}{end}.png" for name in _RESULTS for end in ("", "-before-after"))):
        (folder / name).unlink(missing_ok=True)
    return folder


@contextmanager
def photographs(folder: Path) -> Iterator[Path]:
    """Real photographs in their places; where the portrait lies, which goes again unless it was there before."""
    try:
        from skimage import data
    except ImportError as missing:
        raise BadSettings(
            "the photographs come with scikit-image.", advice="pip install 'tollbrush[photos]'"
        ) from missing
    from PIL import Image, ImageDraw, ImageFilter

    read: Callable[[str], Any] = lambda name: getattr(data, name)()  # noqa: E731 - skimage is not typed
    astronaut, cat = Image.fromarray(read("astronaut")), Image.fromarray(read("chelsea"))
    astronaut.resize((1024, 1024), Image.Resampling.LANCZOS).save(folder / "photo.png")
    cat.save(folder / "cat.jpg", quality=95)
    mask = Image.new("L", cat.size, 255)
    ImageDraw.Draw(mask).polygon(_CAT, fill=0)
    # White overlaps the fur a little, as a person would paint it: the true edge is found inside the mask.
    mask.filter(ImageFilter.MaxFilter(5)).save(folder / "mask.png")
    portrait = folder / "portrait.png"
    astronaut.resize((1024, 1024), Image.Resampling.LANCZOS).save(portrait)
    try:
        handle = os.open(PORTRAIT, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError:  # there is one already, and it is not ours
        yield portrait
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(portrait.read_bytes())
        yield PORTRAIT
    finally:
        PORTRAIT.unlink(missing_ok=True)


def _edit(stack: Stack, folder: Path, command: str, network: str, name: str) -> Done:
    """The command as a user types it, in a process of its own. Raises InternalError with what it said."""
    began = time.monotonic()
    output = folder / f"{name}.png"
    words = [sys.executable, "-m", "tollbrush", command, "--network", network, "-o", str(output), "--json"]
    ran = subprocess.run(  # noqa: S603 - our own program, no shell
        words,
        env=stack.environment(),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        raise InternalError(f"{command}: {ran.stderr.strip() or ran.stdout.strip()}", advice="")
    said: Mapping[str, Any] = json.loads(ran.stdout)
    if said["payment"]["network"] != network:
        raise InternalError(f"{command} was paid on {said['payment']['network']}.", advice="")
    return Done(
        command,
        network,
        said["price"]["amount"],
        said["payment"]["tx_hash"],
        output.name,
        round(time.monotonic() - began, 1),
    )


def _balances(stack: Stack) -> dict[str, str]:
    return {network: str(price.dollars) for network, price in stack.balances().items()}


def _told(balances: Mapping[str, str]) -> str:
    return ", ".join(f"${amount} on {network}" for network, amount in balances.items())


def _lines(done: Done) -> list[str]:
    return [
        f"$ tollbrush '{done.command}'",
        f"    price        ${done.price} on {done.network}",
        f"    transaction  {done.tx_hash}",
        f"    file         {done.file}",
        f"    seconds      {done.seconds}",
        "",
    ]


def _side_by_side(before: Path, after: Path, out: Path, *, height: int = 512, gap: int = 16) -> None:
    """Both pictures at one height on white; what is transparent shows a checkerboard."""
    from PIL import Image

    with Image.open(before) as left, Image.open(after) as right:
        panes = [_at_height(left, height), _at_height(right, height)]
    sheet = Image.new("RGB", (sum(p.width for p in panes) + gap, height), "white")
    x = 0
    for pane in panes:
        sheet.paste(pane, (x, 0))
        x += pane.width + gap
    sheet.save(out)


def _at_height(picture: Image.Image, height: int) -> Image.Image:
    from PIL import Image

    scaled = picture.convert("RGBA").resize(
        (round(picture.width * height / picture.height), height), Image.Resampling.LANCZOS
    )
    board = Image.new("RGB", scaled.size, "white")
    square = 16
    grey = Image.new("RGB", (square, square), (214, 214, 214))
    for y in range(0, height, square):
        for x in range((y // square % 2) * square, scaled.width, 2 * square):
            board.paste(grey, (x, y))
    board.paste(scaled, (0, 0), scaled)
    return board
