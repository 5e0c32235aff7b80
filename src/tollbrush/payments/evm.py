"""USDC on an EVM chain: EIP-3009 authorizations verified, settled and looked up by ourselves.

The `exact` scheme of x402 for EVM: https://github.com/coinbase/x402/blob/main/specs/schemes/exact/scheme_exact_evm.md
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from tollbrush.domain.charges import ClaimKey
from tollbrush.domain.networks import Network
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.errors import BadSettings, Unavailable
from tollbrush.payments.checks import match_requirement, require, shown
from tollbrush.payments.eip3009 import ZERO, Authorization, Domain, checksum, is_address, parse, recover
from tollbrush.payments.evm_ledger import EXPIRED, USED, Ledger, as_int, balance
from tollbrush.payments.evm_sender import NotSent, Reverted, Sender
from tollbrush.payments.interface import FeeAccount, Outcome, Settlement, Verified
from tollbrush.payments.once import Once
from tollbrush.payments.rpc import JsonRpc, RpcError, RpcUnreachable

__all__ = ["EvmTill", "Ledger", "balance", "identify", "inspect", "recipient", "usdc_domain"]

USDC_VERSION: Final = "2"
SETTLE_MARGIN: Final = 30
"""Seconds a payment must outlive the job's deadline, to be settled in."""

RECIPIENT: Final = "invalid_exact_evm_payload_recipient_mismatch"
AMOUNT: Final = "invalid_exact_evm_payload_authorization_value_mismatch"
NOT_YET: Final = "invalid_exact_evm_payload_authorization_valid_after"
SIGNATURE: Final = "invalid_exact_evm_payload_signature"
FUNDS: Final = "insufficient_funds"
SIMULATION: Final = "invalid_exact_evm_transaction_simulation_failed"

# What the contract says, as x402 names it.
_REVERTS: Final = {
    "authorization is expired": EXPIRED,
    "authorization is not yet valid": NOT_YET,
    "authorization is used or canceled": USED,
    "exceeds balance": FUNDS,
    "invalid signature": SIGNATURE,
}
_SETTLE_GAS: Final = 120_000
"""What a settlement's gas limit is at most: some 85,000 and a quarter."""
_FAR_FUTURE: Final = 2**53
_POLL_SECONDS: Final = 0.25


def usdc_domain(network: Network) -> dict[str, str]:
    """The EIP-712 domain's part of a requirement (`extra`)."""
    return {"name": network.usdc_name, "version": USDC_VERSION}


def recipient(network: Network, pay_to: str) -> str:
    """`pay_to` as we compare it. Raises BadSettings when it is no address."""
    if not is_address(pay_to):
        raise BadSettings(f"networks.{network.v1}.pay_to is not an address: {shown(pay_to)}.")
    return checksum(pay_to)


def identify(network: Network, payment: Payment) -> ClaimKey:
    """As payments/interface.py says of a till."""
    return _key(network, _signed(network, payment))


def inspect(network: Network, payment: Payment, requirement: Requirement, now: int, deadline: int) -> Verified:
    """Every check that needs no chain, in the specification's order. The balance is yet unread: the amount stands for
    it. Raises PaymentRefused."""
    match_requirement(payment, requirement, recipient=RECIPIENT, amount=AMOUNT)
    offer, _ = parse(payment.payload)
    payee, window = checksum(requirement.pay_to), f"{offer.valid_after} to {offer.valid_before}"
    require(offer.to == payee, RECIPIENT, f"The payment goes to {offer.to}, not to {payee}.")
    require(
        offer.value == requirement.amount,
        AMOUNT,
        f"The payment is of {offer.value}; the price is {requirement.amount}.",
    )
    require(offer.payer != payee, "self_payment", f"{payee} would pay itself.")
    require(offer.payer != ZERO, "zero_address", "The zero address cannot pay.")
    require(
        offer.valid_before >= deadline + SETTLE_MARGIN,
        EXPIRED,
        f"The payment is valid from {window}; it must live until {deadline + SETTLE_MARGIN}, and it is {now}.",
    )
    require(offer.valid_after <= now, NOT_YET, f"The payment is valid from {window}, and it is {now}.")
    _signed(network, payment)
    until = min(offer.valid_before, _FAR_FUTURE)
    return Verified(_key(network, offer), requirement, payment.payload, until, requirement.amount)


def _signed(network: Network, payment: Payment) -> Authorization:
    authorization, signature = parse(payment.payload)
    domain = Domain(network.usdc_name, USDC_VERSION, network.chain_id, network.usdc)
    signer = recover(authorization.digest(domain), signature)
    require(
        signer == authorization.payer,
        SIGNATURE,
        f"The signature is by {signer}, not by {authorization.payer}, for {domain.name} on chain {domain.chain_id}.",
    )
    return authorization


def _key(network: Network, authorization: Authorization) -> ClaimKey:
    return ClaimKey(network.id, network.usdc, authorization.payer, authorization.nonce.hex())


class EvmTill:
    """Settles with its own key (hex), which pays the gas. `confirmations` in blocks, `receipt_timeout` in seconds.
    Raises BadSettings on a key that is none, and on a recipient that is no address."""

    def __init__(
        self,
        network: Network,
        pay_to: str,
        rpc: JsonRpc,
        settle_key: str,
        *,
        confirmations: int = 1,
        receipt_timeout: float = 60.0,
    ) -> None:
        self._network, self._pay_to, self._rpc = network, recipient(network, pay_to), rpc
        self._ledger = Ledger(rpc, network, confirmations=confirmations)
        self._sender = Sender(rpc, network.chain_id, _private_key(settle_key, network))
        self._timeout = receipt_timeout
        self._once = Once()

    @property
    def network(self) -> str:
        return self._network.id

    def requirement(self, amount: int) -> Requirement:
        return Requirement(self.network, self._network.usdc, amount, self._pay_to, extra=usdc_domain(self._network))

    def identify(self, payment: Payment) -> ClaimKey:
        return identify(self._network, payment)

    async def verify(self, payment: Payment, requirement: Requirement, *, now: int, deadline: int) -> Verified:
        verified = inspect(self._network, payment, requirement, now, deadline)
        offer, signature = parse(payment.payload)
        try:
            used, held, refusal = await asyncio.gather(
                self._ledger.is_used(offer), self._ledger.balance(offer.payer), self._ledger.simulate(offer, signature)
            )
        except (RpcError, RpcUnreachable) as failure:
            raise Unavailable(f"{self._network.title} cannot be read: {failure}.") from failure
        require(not used, USED, "This authorization was used or cancelled before.")
        require(held >= offer.value, FUNDS, f"{offer.payer} holds {held} atomic units; the price is {offer.value}.")
        require(refusal is None, _reason(refusal, SIMULATION), f"The USDC contract refuses the payment: {refusal}.")
        return Verified(verified.key, requirement, payment.payload, verified.valid_until, held)

    async def settle(self, verified: Verified) -> Settlement:
        """May be called again after UNKNOWN: one authorization moves its money once, whoever sends it how often."""
        return await self._once.run(verified.key, lambda: self._settle(verified))

    async def _settle(self, verified: Verified) -> Settlement:
        offer, signature = parse(verified.payload)
        try:
            tx_hash = await self._sender.send(self._network.usdc, offer.call(signature))
        except Reverted as refusal:
            return await self._after_revert(verified, offer, _reason(str(refusal), "transaction_failed"))
        except NotSent as failure:
            return Settlement(Outcome.UNKNOWN, failure.tx_hash, f"not_sent: {failure}"[:200])
        receipt = await self._sender.receipt(tx_hash, within=self._timeout)
        if receipt is None:
            return Settlement(Outcome.UNKNOWN, tx_hash, "settlement_pending")
        if receipt.get("status") != "0x1":
            return await self._after_revert(verified, offer, "transaction_failed")
        return await self._confirmed(verified, tx_hash)

    async def _after_revert(self, verified: Verified, offer: Authorization, reason: str) -> Settlement:
        """A revert is a refusal only when nobody else's transaction carried this authorization."""
        try:
            used = await self._ledger.is_used(offer)
        except (RpcError, RpcUnreachable):
            return Settlement(Outcome.UNKNOWN, reason="chain_unreachable")
        if used or reason == USED:
            return await self._confirmed(verified, None)
        return Settlement(Outcome.REFUSED, reason=reason)

    async def _confirmed(self, verified: Verified, tx_hash: str | None) -> Settlement:
        """What the chain says once it says it, UNKNOWN when it takes too long."""
        found = await self._ledger.find(verified, tx_hash)
        waited = 0.0
        while found.outcome is Outcome.UNKNOWN and waited < self._timeout:
            await asyncio.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
            found = await self._ledger.find(verified, tx_hash)
        return found

    async def find(self, verified: Verified, tx_hash: str | None) -> Settlement:
        return await self._ledger.find(verified, tx_hash)

    async def check(self) -> str | None:
        title = self._network.title
        try:
            chain_id = as_int(await self._rpc.call("eth_chainId"))
            code = await self._rpc.call("eth_getCode", self._network.usdc, "latest")
            account = await self._fee_account()
        except (RpcError, RpcUnreachable) as failure:
            return f"{title} cannot be read: {failure}."
        if chain_id != self._network.chain_id:
            return f"{title}'s rpc_url serves chain {chain_id}, not {self._network.chain_id}."
        if code in ("0x", None):
            return f"{title} has no USDC contract at {self._network.usdc}."
        if not account.settlements:
            return f"{title}: the settling account {account.address} holds {account.held} wei, too little: send it ETH."
        return None

    async def fees(self) -> FeeAccount:
        try:
            return await self._fee_account()
        except (RpcError, RpcUnreachable) as failure:
            raise Unavailable(f"{self._network.title} cannot be read: {failure}.") from failure

    async def _fee_account(self) -> FeeAccount:
        address = self._sender.address
        held = as_int(await self._rpc.call("eth_getBalance", address, "latest"))
        highest, _ = await self._sender.fee()
        return FeeAccount(address, held, "wei", held // (_SETTLE_GAS * highest))

    async def close(self) -> None:
        """After the settlements under way have their outcome."""
        await self._once.drain()
        await self._rpc.close()


def _private_key(text: str, network: Network) -> bytes:
    digits = text.removeprefix("0x")
    if not re.fullmatch(r"[0-9a-fA-F]{64}", digits, re.ASCII):
        raise BadSettings(f"networks.{network.v1}.settle_key is not a private key: 64 hex digits, with or without 0x.")
    return bytes.fromhex(digits)


def _reason(said: str | None, otherwise: str) -> str:
    """x402's name for what the contract said."""
    return next((name for words, name in _REVERTS.items() if words in (said or "").lower()), otherwise)
