"""One suite over every ledger and every store of files.

Another implementation joins with a line in `makers` and one in the fixture's parameters. A ledger over a database
server (PostgreSQL) is made there on a fresh schema, which the fixture drops, and skipped where no server is named;
nothing below asks for more than the protocol says, but for the tests named after SQLite and after files.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tollbrush.domain.charges import Charge, ChargeState, ClaimKey
from tollbrush.domain.jobs import HostedImage, Job, JobState
from tollbrush.errors import BadSettings
from tollbrush.storage.files import FileImages, FileInputs
from tollbrush.storage.interface import ImageStore, InputStore, JobTaken, Ledger, OverBalance, TooManyOpen, new_key
from tollbrush.storage.memory import MemoryImages, MemoryInputs, MemoryLedger
from tollbrush.storage.schema import MIGRATIONS
from tollbrush.storage.sqlite import SqliteLedger

IMAGE = HostedImage("k" * 32 + ".png", "image/png", 64, 48, "ab" * 32, 7, "a hat", True, 0.25)


def a_job(name: str = "j1") -> Job:
    return Job(name, "0xpayer", "tollbrush/studio", "openai/gpt-image-1", "64x48", 1, 21000, 1000)


def a_charge(name: str = "c1", nonce: str = "0x01", *, payer: str = "0xpayer", amount: int = 21000) -> Charge:
    key = ClaimKey("eip155:84532", "0xusdc", payer, nonce)
    return Charge(name, key, amount, "0xseller", 2000, "hash", name.replace("c", "j"), '{"a":1}', 1000)


@pytest.fixture(params=["memory", "sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    makers: dict[str, Callable[[], Ledger]] = {
        "memory": MemoryLedger,
        "sqlite": lambda: SqliteLedger(tmp_path / "state" / "ledger.db"),
    }
    made = makers[request.param]()
    yield made
    await made.close()


async def test_a_claim_is_kept_whole(ledger: Ledger) -> None:
    claimed = await ledger.claim(a_charge(), a_job(), balance=21000, max_open=1)
    assert claimed.fresh
    assert await ledger.charge("c1") == a_charge() == await ledger.charge_of(a_charge().key)
    assert await ledger.job("j1") == a_job()
    assert list(await ledger.charges_of_job("j1")) == [a_charge()]


async def test_unknown_names_are_none(ledger: Ledger) -> None:
    assert await ledger.charge("c9") is None
    assert await ledger.job("j9") is None
    assert await ledger.charge_of(a_charge().key) is None


async def test_one_payment_holds_one_job(ledger: Ledger) -> None:
    claims = [
        ledger.claim(a_charge(f"c{i}"), a_job(f"j{i}"), balance=10**9, max_open=99) for i in range(50)
    ]  # the same payment on fifty requests
    results = await asyncio.gather(*claims)
    assert sum(r.fresh for r in results) == 1
    assert len({r.charge.id for r in results}) == 1
    assert len(await ledger.open_charges()) == 1


async def test_a_released_payment_may_come_again(ledger: Ledger) -> None:
    charge = a_charge()
    await ledger.claim(charge, a_job(), balance=21000, max_open=1)
    await ledger.save(charge=charge.to(ChargeState.RELEASED, now=1001))
    again = await ledger.claim(a_charge("c2"), a_job("j2"), balance=21000, max_open=1)
    assert again.fresh
    held = await ledger.charge_of(charge.key)
    assert held is not None
    assert held.id == "c2"


async def test_open_claims_never_exceed_the_balance(ledger: Ledger) -> None:
    await ledger.claim(a_charge("c1", "0x01"), a_job("j1"), balance=50000, max_open=9)
    await ledger.claim(a_charge("c2", "0x02"), a_job("j2"), balance=50000, max_open=9)
    with pytest.raises(OverBalance):
        await ledger.claim(a_charge("c3", "0x03"), a_job("j3"), balance=50000, max_open=9)
    assert await ledger.charge("c3") is None
    assert await ledger.job("j3") is None
    other = await ledger.claim(a_charge("c4", "0x04", payer="0xother"), a_job("j4"), balance=21000, max_open=9)
    assert other.fresh


async def test_settled_charges_no_longer_count(ledger: Ledger) -> None:
    charge = a_charge()
    await ledger.claim(charge, a_job(), balance=21000, max_open=1)
    for state in (ChargeState.READY, ChargeState.SETTLING, ChargeState.SETTLED):
        charge = charge.to(state, now=1001, tx_hash="0xabc" if state is ChargeState.SETTLED else None)
        await ledger.save(charge=charge)
    assert not await ledger.open_charges()
    assert (await ledger.claim(a_charge("c2", "0x02"), a_job("j2"), balance=21000, max_open=1)).fresh
    replay = await ledger.claim(a_charge("c3"), a_job("j3"), balance=10**9, max_open=9)
    assert not replay.fresh
    assert replay.charge.tx_hash == "0xabc"


async def test_open_claims_of_a_payer_are_capped(ledger: Ledger) -> None:
    await ledger.claim(a_charge("c1", "0x01"), a_job("j1"), balance=10**9, max_open=1)
    with pytest.raises(TooManyOpen):
        await ledger.claim(a_charge("c2", "0x02"), a_job("j2"), balance=10**9, max_open=1)


async def test_compare_and_set_lets_one_settler_through(ledger: Ledger) -> None:
    charge = a_charge()
    await ledger.claim(charge, a_job(), balance=21000, max_open=1)
    ready = charge.to(ChargeState.READY, now=1001)
    await ledger.save(charge=ready, was=charge)
    settling = ready.to(ChargeState.SETTLING, now=1002)
    won = await asyncio.gather(*(ledger.save(charge=settling, was=ready) for _ in range(20)))
    assert sum(won) == 1


async def test_job_and_charge_are_saved_together(ledger: Ledger) -> None:
    charge, job = a_charge(), a_job()
    await ledger.claim(charge, job, balance=21000, max_open=1)
    done = job.start(1001).complete((IMAGE,), 1002)
    assert await ledger.save(job=done, charge=charge.to(ChargeState.READY, now=1002), was=charge)
    assert await ledger.job("j1") == done
    late = replace(done, state=JobState.FAILED)
    assert not await ledger.save(job=late, charge=charge.to(ChargeState.RELEASED, now=1003), was=charge)
    assert await ledger.job("j1") == done


async def test_what_the_engine_consumed_is_kept(ledger: Ledger) -> None:
    await ledger.claim(a_charge(), a_job(), balance=21000, max_open=1)
    done = a_job().start(1001).complete((IMAGE,), 1002, {"input_tokens": 120, "input_tokens_details.text_tokens": 20})
    await ledger.save(job=done)
    assert await ledger.job("j1") == done
    assert [job for job, _ in await ledger.history()] == [done]
    failed = done.fail("expired", "too late", 1003)
    assert failed.usage == done.usage


async def test_one_worker_holds_a_lease(ledger: Ledger) -> None:
    await ledger.claim(a_charge(), a_job(), balance=21000, max_open=1)
    won = await asyncio.gather(*(ledger.lease("j1", f"p{i}", now=1000, until=1010) for i in range(10)))
    (holder,) = [j for j in won if j is not None]
    assert await ledger.lease("j1", holder.owner, now=1005, until=1020) is not None
    assert await ledger.lease("j1", "other", now=1020, until=1030) is None
    assert not await ledger.orphans(1020)
    assert [j.id for j in await ledger.orphans(1021)] == ["j1"]
    assert await ledger.lease("j1", "other", now=1021, until=1030) is not None
    await ledger.save(job=a_job().start(1022).complete((IMAGE,), 1023))
    assert await ledger.lease("j1", "other", now=1024, until=1030) is None
    assert not await ledger.orphans(9999)
    assert await ledger.lease("j9", "other", now=1, until=2) is None


async def test_work_handed_on_is_written_by_its_heir_alone(ledger: Ledger) -> None:
    charge, job = a_charge(), replace(a_job(), owner="first", lease_until=1010)
    await ledger.claim(charge, job, balance=21000, max_open=1)
    heir = await ledger.lease("j1", "heir", now=1011, until=1020)
    assert heir is not None
    late = job.start(1012).complete((IMAGE,), 1012)
    assert not await ledger.save(job=late, charge=charge.to(ChargeState.READY, now=1012), was=charge)
    assert not await ledger.save(job=job.start(1012), was=charge)
    assert (await ledger.job("j1"), await ledger.charge("c1")) == (heir, charge)
    assert await ledger.save(job=heir.start(1013), was=charge)


async def test_what_nobody_paid_for_and_what_was_paid_long_ago(ledger: Ledger) -> None:
    charge, done = a_charge(), a_job().start(1001).complete((IMAGE,), 1002)
    await ledger.claim(charge, a_job(), balance=21000, max_open=1)
    ready = charge.to(ChargeState.READY, now=1002)
    await ledger.save(job=done, charge=ready)
    assert not await ledger.uncollected(9999)  # its payment may still settle
    await ledger.save(charge=ready.to(ChargeState.RELEASED, now=1003))
    assert not await ledger.uncollected(1002)
    assert [j.id for j in await ledger.uncollected(1003)] == ["j1"]
    assert not await ledger.paid(9999)
    fresh = replace(a_charge("c2", "0x02"), job_id="j1")
    await ledger.claim(fresh, done, balance=21000, max_open=1)
    sent = fresh.to(ChargeState.READY, now=2000).to(ChargeState.SETTLING, now=2000)
    await ledger.save(charge=sent)
    assert not await ledger.uncollected(9999) and not await ledger.paid(9999)
    await ledger.save(charge=sent.to(ChargeState.SETTLED, now=2001, tx_hash="0xab"))
    assert not await ledger.uncollected(9999)
    assert not await ledger.paid(2001)  # counted from the payment on, not from the edit
    assert [j.id for j in await ledger.paid(2002)] == ["j1"]
    await ledger.save(job=replace(done, images=()))
    assert not await ledger.paid(9999)


async def test_files_of_ended_jobs_are_litter(ledger: Ledger) -> None:
    ends = {
        "j1": a_job("j1").start(1001).complete((IMAGE,), 1002),
        "j2": a_job("j2").start(1001).complete((IMAGE,), 1002).fail("expired", "too late", 1003),
        "j3": replace(a_job("j3").start(1001), images=(IMAGE,)),
        "j4": replace(a_job("j4").start(1001), images=(IMAGE,)).cancel(1002),
        "j5": a_job("j5").start(1001).cancel(1002),
    }
    for i, job in enumerate(ends.values()):
        await ledger.claim(a_charge(f"c{i + 1}", f"0x0{i}"), a_job(job.id), balance=10**9, max_open=9)
        await ledger.save(job=job)
    assert {j.id for j in await ledger.litter()} == {"j2", "j4"}
    for job in await ledger.litter():
        await ledger.save(job=replace(job, images=()))
    assert not await ledger.litter()


async def test_a_finished_job_takes_one_payment_at_a_time(ledger: Ledger) -> None:
    charge, job = a_charge("c1", "0x01"), a_job("j1")
    await ledger.claim(charge, job, balance=10**9, max_open=9)
    second = replace(a_charge("c2", "0x02"), job_id="j1")
    with pytest.raises(JobTaken):  # it is not finished
        await ledger.claim(second, job, balance=10**9, max_open=9)
    done = job.start(1001).complete((IMAGE,), 1002)
    await ledger.save(job=done, charge=charge.to(ChargeState.READY, now=1002))
    with pytest.raises(JobTaken):  # the first payment may still settle
        await ledger.claim(second, done, balance=10**9, max_open=9)
    assert not await ledger.retire(done.cancel(1003))
    await ledger.save(charge=charge.to(ChargeState.READY, now=1002).to(ChargeState.RELEASED, now=1003))
    fresh = [replace(a_charge(f"c{i}", f"0x0{i}"), job_id="j1") for i in range(2, 9)]
    claims = await asyncio.gather(
        *(ledger.claim(c, done, balance=10**9, max_open=9) for c in fresh), return_exceptions=True
    )
    assert sum(isinstance(c, JobTaken) for c in claims) == 6
    assert await ledger.job("j1") == done
    (held,) = await ledger.open_charges()
    await ledger.save(charge=held.to(ChargeState.RELEASED, now=1004))
    stale = replace(done.cancel(1005), images=())  # as read before the pictures were listed
    assert await ledger.retire(stale) == done.cancel(1005) == await ledger.job("j1")
    with pytest.raises(JobTaken):  # the result is gone
        await ledger.claim(second, done, balance=10**9, max_open=9)


async def test_history_is_in_order(ledger: Ledger) -> None:
    for i in (2, 1, 3):
        charge = replace(a_charge(f"c{i}", f"0x0{i}"), created=1000 + i)
        await ledger.claim(charge, a_job(f"j{i}"), balance=10**9, max_open=9)
    assert [(j.id, c.id) for j, c in await ledger.history(since=1002)] == [("j2", "c2"), ("j3", "c3")]
    assert len(await ledger.history()) == 3


async def test_a_probe_writes_to_no_effect(ledger: Ledger) -> None:
    await ledger.probe()
    assert not await ledger.history()
    charge, job = a_charge(), a_job()
    await ledger.claim(charge, job, balance=21000, max_open=1)
    await asyncio.gather(*(ledger.probe() for _ in range(5)))
    assert list(await ledger.history()) == [(job, charge)]
    assert await ledger.lease("j1", "p1", now=1, until=2) is not None


async def test_a_refused_payer_may_have_one_open_charge(ledger: Ledger) -> None:
    charge = a_charge("c1", "0x01")
    await ledger.claim(charge, a_job("j1"), balance=10**9, max_open=9)
    for state in (ChargeState.READY, ChargeState.SETTLING, ChargeState.RELEASED):
        charge = charge.to(state, now=2000)
        await ledger.save(charge=charge)
    await ledger.claim(a_charge("c2", "0x02"), a_job("j2"), balance=10**9, max_open=9, refused_since=1900)
    with pytest.raises(TooManyOpen):
        await ledger.claim(a_charge("c3", "0x03"), a_job("j3"), balance=10**9, max_open=9, refused_since=2000)
    later = await ledger.claim(a_charge("c3", "0x03"), a_job("j3"), balance=10**9, max_open=9, refused_since=2001)
    assert later.fresh


@pytest.fixture(params=["memory", "files"])
def inputs(request: pytest.FixtureRequest, tmp_path: Path) -> InputStore:
    return MemoryInputs() if request.param == "memory" else FileInputs(tmp_path / "inputs")


async def test_inputs_come_back_and_go(inputs: InputStore) -> None:
    assert await inputs.get("j1") is None
    await inputs.put("j1", b"whole")
    assert await inputs.get("j1") == b"whole"
    await inputs.delete("j1")
    await inputs.delete("j1")
    assert await inputs.get("j1") is None


def files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


async def test_inputs_are_listed_by_job(inputs: InputStore) -> None:
    assert list(await inputs.held()) == []
    await inputs.put("j1", b"whole")
    await inputs.put("-j2_", b"whole")
    assert sorted(await inputs.held()) == ["-j2_", "j1"]
    await inputs.delete("j1")
    assert list(await inputs.held()) == ["-j2_"]


async def test_what_a_crash_left_half_written_goes_with_the_rest(tmp_path: Path) -> None:
    inputs, images, key = FileInputs(tmp_path / "inputs"), FileImages(tmp_path / "images"), new_key("image/png")
    await images.put(key, b"whole")
    await inputs.put("j1", b"whole")
    for file in files(tmp_path):
        file.rename(file.with_name(".new-" + file.name))
    assert await inputs.get("j1") is None
    assert list(await inputs.held()) == ["j1"]
    await inputs.delete("j1")
    await images.delete(key)
    assert files(tmp_path) == []


async def test_a_write_is_over_before_its_caller_goes_away(tmp_path: Path) -> None:
    images, key = FileImages(tmp_path / "images"), new_key("image/png")
    put = asyncio.create_task(images.put(key, b"x" * 10**6))
    await asyncio.sleep(0)  # it has begun
    put.cancel()
    with pytest.raises(asyncio.CancelledError):
        await put
    await images.delete(key)
    assert files(tmp_path) == []


async def test_sqlite_remembers_after_reopening(tmp_path: Path) -> None:
    first = SqliteLedger(tmp_path / "ledger.db")
    await first.claim(a_charge(), a_job(), balance=21000, max_open=1)
    await first.close()
    second = SqliteLedger(tmp_path / "ledger.db")
    assert await second.charge("c1") == a_charge()
    assert await second.job("j1") == a_job()
    await second.close()
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o600


async def test_a_ledger_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript("".join(MIGRATIONS[:3]) + "PRAGMA user_version = 3;")
        old.execute(
            "INSERT INTO jobs (id, payer, model, requested_model, size, n, amount, created, state, images, updated)"
            " VALUES ('j1', '0xpayer', 'tollbrush/studio', 'openai/gpt-image-1', '64x48', 1, 21000, 1000, 'queued',"
            " '[]', 0)"
        )
        old.commit()
    ledger = SqliteLedger(path)
    assert await ledger.job("j1") == a_job()
    await ledger.close()


def test_a_ledger_of_a_newer_version_is_left_as_it_is(tmp_path: Path) -> None:
    path, newer = tmp_path / "ledger.db", len(MIGRATIONS) + 1
    with closing(sqlite3.connect(path)) as db:
        db.executescript("".join(MIGRATIONS) + f"PRAGMA user_version = {newer};")
    with pytest.raises(BadSettings, match=f"version {newer}"):
        SqliteLedger(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (newer,)


@pytest.mark.parametrize("content", ["another program's", "none"])
def test_what_is_no_ledger_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ledger.db"
    if content == "none":
        path.write_bytes(b"a picture, by mistake" * 500)
    else:
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(BadSettings, match=r"ledger\.db") as refused:
        SqliteLedger(path)
    assert "Is another file in its place?" in refused.value.sentence()
    if content != "none":
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]


async def test_of_many_that_start_together_one_makes_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledgers = await asyncio.gather(*(asyncio.to_thread(SqliteLedger, path) for _ in range(8)))
    await ledgers[0].claim(a_charge(), a_job(), balance=21000, max_open=1)
    assert [await ledger.charge("c1") for ledger in ledgers] == [a_charge()] * 8
    await asyncio.gather(*(ledger.close() for ledger in ledgers))


@pytest.mark.parametrize("lets_go", [True, False])
async def test_a_file_that_another_one_is_making_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lets_go: bool
) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")  # against which SQLite's own time-out does not wait
        if lets_go:
            monkeypatch.setattr("time.sleep", lambda _: other.execute("COMMIT") if other.in_transaction else None)
            await SqliteLedger(path).close()
        else:
            monkeypatch.setattr("tollbrush.storage.schema._PATIENCE", 0.0)
            with pytest.raises(BadSettings, match="is locked") as refused:
                SqliteLedger(path)
            assert "held by another program" in refused.value.sentence()


@pytest.fixture(params=["memory", "files"])
def images(request: pytest.FixtureRequest, tmp_path: Path) -> ImageStore:
    return MemoryImages() if request.param == "memory" else FileImages(tmp_path / "images")


async def test_a_picture_comes_back_as_it_was(images: ImageStore) -> None:
    key = new_key("image/png")
    await images.put(key, b"png bytes")
    assert await images.get(key) == (b"png bytes", "image/png")
    await images.delete(key)
    assert await images.get(key) is None
    await images.delete(key)


def test_keys_cannot_be_guessed() -> None:
    keys = [new_key("image/webp") for _ in range(20)]
    assert len(set(keys)) == 20
    assert all(len(k) >= 32 for k in keys)


@pytest.mark.parametrize("key", ["", "..", "../ledger.db", "a/b", "%2e%2e", "\x00", "x" * 5000, "é" * 32 + ".png"])
async def test_a_malformed_key_is_nobodys_picture(images: ImageStore, key: str) -> None:
    await images.put(new_key("image/png"), b"there")
    assert await images.get(key) is None


async def test_files_are_private(tmp_path: Path) -> None:
    await FileImages(tmp_path / "images").put(key := new_key("image/jpeg"), b"x")
    (file,) = (tmp_path / "images").rglob("*.jpg")
    assert file.name == key
    assert file.stat().st_mode & 0o777 == 0o600
