"""x402's official facilitator over a local Base, as a judge of payments."""

from __future__ import annotations

from x402.facilitator import x402FacilitatorSync
from x402.mechanisms.evm.exact.facilitator import ExactEvmScheme
from x402.mechanisms.evm.exact.v1.facilitator import ExactEvmSchemeV1
from x402.mechanisms.evm.signers import FacilitatorWeb3Signer
from x402.schemas import PaymentPayload, PaymentRequirements

from support.base_chain import BASE, EvmAccount
from tollbrush.devnet.interface import LocalChain
from tollbrush.domain.payments import Payment, Requirement
from tollbrush.wire.x402 import accepts_v2


class Judge:
    """x402's own verify and settle for EVM, with a settling account of its own on this chain."""

    def __init__(self, chain: LocalChain) -> None:
        account = EvmAccount.fresh()
        chain.fund(account.address, 0)
        signer = FacilitatorWeb3Signer(account.key.hex(), chain.rpc_url, confirmation_timeout_seconds=10)
        self.scheme = ExactEvmScheme(signer)
        self.facilitator = x402FacilitatorSync()
        self.facilitator.register([BASE.id], self.scheme)
        self.facilitator.register_v1([BASE.v1], ExactEvmSchemeV1(signer))

    def refusal(self, payment: Payment, requirement: Requirement) -> str | None:
        """None when it would take this payment, else why not. Odd payloads make it raise: a refusal too."""
        ours = PaymentRequirements.model_validate(accepts_v2([requirement])[0])
        accepted = ours if payment.accepted is None else payment.accepted
        try:
            payload = PaymentPayload.model_validate({"payload": payment.payload, "accepted": accepted})
            verdict = self.scheme.verify(payload, ours)
        except (LookupError, TypeError, ValueError, AttributeError) as failure:
            return f"{type(failure).__name__}: {failure}"
        return None if verdict.is_valid else verdict.invalid_reason
