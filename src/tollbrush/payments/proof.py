"""Who polls: a Solana wallet's signature over the job and the time, when no payment comes with the poll."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import pybase64

from tollbrush.errors import NotFound

if TYPE_CHECKING:  # a gateway that sells on Base alone never loads it
    from solders.keypair import Keypair
    from solders.signature import Signature

WINDOW: Final = 300
"""Seconds by which the signed time may differ from ours."""


def poll_message(job_id: str, timestamp: int | str) -> bytes:
    return f"blockrun-poll:v1:image:{job_id}:{timestamp}".encode()


def poll_headers(wallet: Keypair, job_id: str, *, now: int) -> dict[str, str]:
    """What proves this wallet when it asks for a job."""
    signature = wallet.sign_message(poll_message(job_id, now))
    return {"x-poll-wallet": str(wallet.pubkey()), "x-poll-timestamp": str(now), "x-poll-signature": str(signature)}


def polling_wallet(headers: Mapping[str, str], job_id: str, *, now: int) -> str | None:
    """The proven address, or None when no proof came. `headers` has lower-case names. Raises NotFound, in the words
    for an unknown job, on a bad or stale proof."""
    from solders.pubkey import Pubkey

    wallet, timestamp, signature = (headers.get(f"x-poll-{name}", "") for name in ("wallet", "timestamp", "signature"))
    if not (wallet or timestamp or signature):
        return None
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise NotFound("Job not found")
    try:
        valid = _signature(signature).verify(Pubkey.from_string(wallet), poll_message(job_id, timestamp))
    except ValueError as bad:
        raise NotFound("Job not found") from bad
    if not valid or abs(now - int(timestamp)) > WINDOW:
        raise NotFound("Job not found")
    return wallet


def _signature(text: str) -> Signature:
    """Base58 as Solana writes it, or base64. Raises ValueError."""
    from solders.signature import Signature

    try:
        return Signature.from_string(text)
    except ValueError:
        try:
            return Signature.from_bytes(pybase64.b64decode(text, validate=True))
        except binascii.Error as bad:
            raise ValueError(text[:20]) from bad
