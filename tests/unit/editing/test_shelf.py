"""Pictures that wait are on the disk, and nothing else changes for who uses them."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.pictures import photo
from tollbrush.domain.edits import EditRequest, Size
from tollbrush.editing.making import Stored
from tollbrush.editing.shelf import Shelf, waiting

PICTURES = st.lists(st.binary(max_size=40), min_size=1, max_size=5)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def shelf(pictures: list[bytes], folder: Path) -> Shelf:
    return Shelf(pictures, folder, cleared=lambda: None)


@given(PICTURES, st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_put_away_reads_as_before(tmp_path: Path, pictures: list[bytes], data: st.DataObject) -> None:
    kept = shelf(pictures, tmp_path)
    place = data.draw(st.integers(-len(pictures), len(pictures) - 1))
    for away in (False, True):
        assert not away or kept.put_away()
        assert (list(kept), len(kept), kept[place]) == (pictures, len(pictures), pictures[place])
        assert list(kept[place:]) == pictures[place:]
        with pytest.raises(IndexError):
            kept[len(pictures)]
    assert list(tmp_path.iterdir()) == []  # it has no name that somebody could open


def test_a_request_is_the_same_wherever_its_pictures_are(tmp_path: Path) -> None:
    plain = EditRequest(None, "invert", (photo(8, 8), photo(9, 9)), mask=photo(8, 8))
    kept = replace(plain, sources=shelf(list(plain.sources), tmp_path))
    for _ in range(2):
        assert kept.digest() == plain.digest()
        stored = msgspec.msgpack.encode(Stored(kept, Size(8, 8)), enc_hook=tuple)
        read = msgspec.msgpack.decode(stored, type=Stored).request
        assert (list(read.sources), read.mask, read.prompt) == (list(plain.sources), plain.mask, plain.prompt)
        assert isinstance(kept.sources, Shelf)
        assert kept.sources.put_away()


def test_without_a_disk_they_stay_in_memory(tmp_path: Path) -> None:
    kept = shelf([b"one", b"two"], tmp_path / "missing")
    assert not kept.put_away()
    assert list(kept) == [b"one", b"two"]


async def test_an_edit_that_lasts_puts_them_away_and_says_so(tmp_path: Path) -> None:
    cleared = asyncio.Event()
    kept = Shelf([b"one"], tmp_path, cleared=cleared.set, patience=0)
    async with waiting(kept):
        await asyncio.wait_for(cleared.wait(), 30)
    assert kept[0] == b"one"
    cleared.clear()
    hasty = Shelf([b"one"], tmp_path, cleared=cleared.set, patience=3600)
    async with waiting(hasty):
        await asyncio.sleep(0)
    assert not cleared.is_set()
    async with waiting((b"plain",)):  # whatever is no shelf stays where it is
        pass


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files")
def test_the_file_is_closed_with_its_last_reader(tmp_path: Path) -> None:
    gc.collect()  # what earlier tests left open
    before = open_files()
    kept = shelf([b"one"], tmp_path)
    kept.put_away()
    assert open_files() == before + 1
    del kept
    gc.collect()
    assert open_files() == before
