"""The two state machines: every legal step, and no other."""

from dataclasses import replace
from itertools import product

import pytest

from tollbrush.domain.charges import OPEN, Charge, ChargeState, ClaimKey, IllegalTransition
from tollbrush.domain.jobs import Job, JobState

CHARGE = Charge("c", ClaimKey("n", "a", "p", "0x1"), 1, "to", 9, "hash", "j", "{}", 0)
JOB = Job("j", "p", "m", "m", "64x64", 1, 1, 0)
S = ChargeState

LEGAL_CHARGE = {
    (S.CLAIMED, S.READY), (S.CLAIMED, S.RELEASED), (S.READY, S.SETTLING), (S.READY, S.RELEASED),
    (S.SETTLING, S.SETTLED), (S.SETTLING, S.UNKNOWN), (S.SETTLING, S.RELEASED),
    (S.UNKNOWN, S.SETTLED), (S.UNKNOWN, S.RELEASED), (S.UNKNOWN, S.UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), list(product(S, S)))
def test_charge_steps(before: ChargeState, after: ChargeState) -> None:
    charge = replace(CHARGE, state=before)
    if (before, after) in LEGAL_CHARGE:
        assert charge.to(after, now=5).state is after
    else:
        with pytest.raises(IllegalTransition):
            charge.to(after, now=5)


def test_nothing_leads_out_of_settled_or_released() -> None:
    assert {S.SETTLED, S.RELEASED}.isdisjoint(OPEN)
    assert set(S) - OPEN == {S.SETTLED, S.RELEASED}


def test_a_known_transaction_is_never_forgotten() -> None:
    unknown = replace(CHARGE, state=S.SETTLING).to(S.UNKNOWN, now=1, tx_hash="0xabc", reason="timeout")
    again = unknown.to(S.UNKNOWN, now=2)
    assert (again.tx_hash, again.reason, again.updated) == ("0xabc", "timeout", 2)


def test_a_jobs_life() -> None:
    done = JOB.start(1).complete((), 2)
    assert (done.state, done.finished, done.updated) == (JobState.COMPLETED, True, 2)
    failed = JOB.start(1).fail("timeout", "too slow", 3)
    assert (failed.state, failed.error_code, failed.error) == (JobState.FAILED, "timeout", "too slow")
    assert JOB.cancel(1).state is JobState.CANCELLED


def test_an_unpaid_result_may_expire_or_be_cancelled() -> None:
    done = JOB.start(1).complete((), 2)
    assert done.fail("expired", "too late", 3).state is JobState.FAILED
    assert done.cancel(3).state is JobState.CANCELLED


def test_a_refusal_after_sending_is_remembered() -> None:
    sent = replace(CHARGE, state=S.SETTLING)
    assert sent.to(S.RELEASED, now=7).refused_at == 7
    assert sent.to(S.RELEASED, now=7, lapsed=True).refused_at is None
    assert sent.to(S.UNKNOWN, now=7).to(S.RELEASED, now=9).refused_at == 9
    assert replace(CHARGE, state=S.READY).to(S.RELEASED, now=7).refused_at is None


@pytest.mark.parametrize("ended", [JobState.FAILED, JobState.CANCELLED])
def test_an_ended_job_stays_ended(ended: JobState) -> None:
    job = replace(JOB, state=ended)
    for step in (
        lambda: job.start(1),
        lambda: job.complete((), 1),
        lambda: job.fail("x", "y", 1),
        lambda: job.cancel(1),
    ):
        with pytest.raises(IllegalTransition):
            step()
