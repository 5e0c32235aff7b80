"""What goes to which stream of a GPU, without one; and what travels to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from support.tapped import KLEIN, Tapped, Tiny, asked, opened, part
from tollbrush.engines.diffusion.model import Tuning
from tollbrush.engines.diffusion.streams import Streams

pytestmark = pytest.mark.timeout(600)  # the first test waits for torch and diffusers to be imported


class Gpu:
    """torch.cuda, as far as streams go: writes down what is asked of it."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.steps = GpuStream(self, "steps")
        self.current, self.made = self.steps, 0

    def current_stream(self, _device: str) -> GpuStream:
        return self.current

    def Stream(self, _device: str) -> GpuStream:  # noqa: N802 - torch's name
        self.made += 1
        return GpuStream(self, f"own {self.made}")

    @contextmanager
    def stream(self, stream: GpuStream) -> Iterator[None]:
        before, self.current = self.current, stream
        yield
        self.current = before


@dataclass
class GpuStream:
    gpu: Gpu
    name: str

    def wait_stream(self, other: GpuStream) -> None:
        self.gpu.said.append(f"{self.name} waits for {other.name}")

    def wait_event(self, event: str) -> None:
        self.gpu.said.append(f"{self.name} waits for {event}")

    def record_event(self) -> str:
        return f"what {self.name} did"


@dataclass
class GpuTensor:
    gpu: Gpu
    name: str
    is_cuda: bool = True

    def record_stream(self, stream: GpuStream) -> None:
        self.gpu.said.append(f"{self.name} is read on {stream.name}")


def test_streams_wait_for_each_other() -> None:
    gpu = Gpu()
    streams = Streams("cuda:0", gpu)
    with streams.beside():
        assert gpu.current.name == "own 1"
        ready = streams.mark()
        with streams.stepping():
            assert gpu.current.name == "steps"
        assert gpu.current.name == "own 1"
        streams.carry([GpuTensor(gpu, "latents"), GpuTensor(gpu, "a number", is_cuda=False)])
    assert gpu.current.name == "steps"
    with streams.beside():  # the same thread keeps its own
        assert gpu.current.name == "own 1"

    def another() -> None:
        with streams.beside():
            streams.after(ready, [GpuTensor(gpu, "a reading")])

    thread = threading.Thread(target=another)
    thread.start()
    thread.join()
    assert gpu.said == [
        "steps waits for own 1",
        "own 1 waits for steps",
        "latents is read on own 1",
        "own 2 waits for what own 1 did",
        "a reading is read on own 2",
    ]


def test_only_steps_are_on_the_stream_of_steps(tiny: Tiny) -> None:
    with opened(tiny, KLEIN, Tuning(beside=False)) as models:
        gpu, where = Gpu(), list[tuple[str, str]]()
        pipeline = models._lines[KLEIN].pipeline
        pipeline._streams = pipeline._readings._streams = Streams("cuda:0", gpu)
        for name, method in (
            ("text_encoder", "forward"),
            ("transformer", "forward"),
            ("vae", "encode"),
            ("vae", "decode"),
        ):
            Tapped(part(models, name), method, lambda _nth, name=name: where.append((name, gpu.current.name)))  # type: ignore[misc]
        for _ in range(2):
            models.edit(KLEIN, asked(1))
    once = [("vae", "own 1"), ("transformer", "steps"), ("transformer", "steps"), ("vae", "own 1")]
    assert where == [("text_encoder", "own 1"), *once, *once]
    waits = ["steps waits for own 1", "own 1 waits for steps"]
    assert gpu.said == [*waits, "own 1 waits for what own 1 did", *waits]


def test_pictures_are_pinned_as_they_were(tiny: Tiny) -> None:
    from tollbrush.engines.diffusion import transfers

    with opened(tiny, KLEIN) as models:
        processor, seen = part(models, "image_processor"), list[Any]()

        def pin(prepared: Any) -> Any:
            seen.append(prepared)
            return prepared

        own = transfers.pinning(processor, pin)
        [source] = asked(1).sources
        from PIL import Image

        plain = processor.preprocess(Image.fromarray(source), height=64, width=64)
        assert own.preprocess(Image.fromarray(source), height=64, width=64).equal(plain)
        assert len(seen) == 1 and seen[0].equal(plain)
