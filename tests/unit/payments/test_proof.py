"""Who polls, proven by a Solana wallet's signature: exactly its own job, for five minutes."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair

from tollbrush.errors import NotFound
from tollbrush.payments.proof import WINDOW, poll_message, polling_wallet

NOW = 1_800_000_000
JOB = "job-1"
WALLET = Keypair()


def proof(
    wallet: Keypair = WALLET, *, job_id: str = JOB, timestamp: int | str = NOW, encoding: str = "base58"
) -> dict[str, str]:
    signature = wallet.sign_message(poll_message(job_id, timestamp))
    text = str(signature) if encoding == "base58" else base64.b64encode(bytes(signature)).decode()
    return {
        "x-poll-wallet": str(wallet.pubkey()),
        "x-poll-timestamp": str(timestamp),
        "x-poll-signature": text,
    }


def test_the_message_is_the_published_one() -> None:
    assert poll_message("abc", 17) == b"blockrun-poll:v1:image:abc:17"


@pytest.mark.parametrize("encoding", ["base58", "base64"])
@pytest.mark.parametrize("skew", [0, WINDOW, -WINDOW])
def test_a_wallet_proves_itself(encoding: str, skew: int) -> None:
    headers = proof(timestamp=NOW + skew, encoding=encoding)
    assert polling_wallet(headers, JOB, now=NOW) == str(WALLET.pubkey())


def test_what_is_signed_is_the_timestamp_as_sent() -> None:
    assert polling_wallet(proof(timestamp=f"00{NOW}"), JOB, now=NOW) == str(WALLET.pubkey())


def test_no_proof_is_no_wallet() -> None:
    assert polling_wallet({"x-payment": "abc"}, JOB, now=NOW) is None


@pytest.mark.parametrize(
    "headers",
    [
        proof(timestamp=NOW - WINDOW - 1),
        proof(timestamp=NOW + WINDOW + 1),
        proof(job_id="job-2"),
        proof() | {"x-poll-wallet": str(Keypair().pubkey())},
        proof() | {"x-poll-signature": proof(Keypair())["x-poll-signature"]},
        proof() | {"x-poll-timestamp": str(NOW + 1)},
        proof(timestamp=-1),
        proof(timestamp=f"{NOW}.0"),
        proof(timestamp=f"+{NOW}"),
        proof(timestamp=NOW * 1000),
        proof() | {"x-poll-timestamp": "١٨"},
        proof() | {"x-poll-signature": "0" * 88},
        proof() | {"x-poll-signature": ""},
        proof() | {"x-poll-wallet": "0x" + "11" * 20},
        proof() | {"x-poll-wallet": "é" * 44},
        {"x-poll-wallet": str(WALLET.pubkey())},
        {"x-poll-timestamp": str(NOW)},
    ],
)
def test_a_bad_or_stale_proof_is_an_unknown_job(headers: dict[str, str]) -> None:
    with pytest.raises(NotFound) as refused:
        polling_wallet(headers, JOB, now=NOW)
    assert refused.value.message == "Job not found"


@given(st.text(max_size=100), st.text(max_size=20), st.text(max_size=100))
def test_nothing_else_is_raised(wallet: str, timestamp: str, signature: str) -> None:
    headers = {"x-poll-wallet": wallet, "x-poll-timestamp": timestamp, "x-poll-signature": signature}
    if any(headers.values()):
        with pytest.raises(NotFound):
            polling_wallet(headers, JOB, now=NOW)
