"""One edit on its way through a gateway, from the signature to the receipt.

What keeps it honest about money:
- the picture is not sent before the price is known and signed for;
- a request that got no answer, or 503 `settlement_unknown`, is sent again with the SAME payment, never a fresh one;
- a fresh payment is signed only when all signatures of this edit that may still be used, and the new one, stay
  within what the caller allowed: an earlier one stops counting when its chain shows that it lapsed;
- whatever happens after a payment was sent, the spending book learns of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import urljoin

from tollbrush.client.orders import OnProgress, Paid, Progress, Stage, Upload, preview_of
from tollbrush.client.problems import build, from_answer, from_code, printable
from tollbrush.client.transport import JSON, Answer, NoAnswer, NotSent, send, unreachable
from tollbrush.domain.pricing import Price
from tollbrush.errors import (
    EditTimeout,
    EngineFailed,
    PaymentRefused,
    SettlementUnknown,
    SpendingPolicy,
    TollbrushError,
    Unavailable,
    UpstreamFailed,
)
from tollbrush.payments.accounts import Fate
from tollbrush.payments.payer import SignedPayment
from tollbrush.payments.policy import origin_of
from tollbrush.wire.offers import Offer, read_402, read_receipt

if TYPE_CHECKING:
    from tollbrush.client.flow import GatewayFlow

EDIT_PATH: Final = "/api/v1/images/image2image"
_SENDS: Final = 4
"""Times that a request is sent when no answer comes."""
_PAYMENTS: Final = 3
"""Payments that one edit may sign."""
_FIRST_WAIT, _LONGEST_WAIT, _BACKOFF = 1.0, 8.0, 1.5
_LONGEST_RETRY_AFTER: Final = 60
_IN_DOUBT: Final = "This payment counts as spent until its chain says otherwise."


class Purchase:
    """One edit on its way. `allowed`: what all signatures together may come to, None for what the caps allow."""

    def __init__(
        self,
        flow: GatewayFlow,
        allowed: Price | None,
        quoted: Price | None,
        progress: OnProgress | None,
        payment: SignedPayment | None = None,
    ) -> None:
        self._flow, self._payer = flow, flow.payer
        self._allowed, self._quoted, self._progress = allowed, quoted, progress
        self._payment, self._signed, self._sent = payment, int(payment is not None), payment is not None
        self._at_risk = 0
        self._job, self._poll_url, self._proving = "", "", False
        self._deadline = flow.clock() + flow.patience

    async def run(self, upload: Upload, offers: tuple[Offer, ...] = (), *, at_once: bool = False) -> Paid:
        return await self._booked(self._buy(upload, offers, at_once))

    async def resume(self, poll_url: str, job: str) -> Paid:
        self._poll_url, self._job = poll_url, job
        return await self._booked(self._poll())

    async def _booked(self, delivery: Awaitable[Paid]) -> Paid:
        try:
            return await delivery
        except BaseException:
            if self._payment is not None:
                await (self._payer.doubtful if self._sent else self._payer.unsent)(self._payment)
            raise

    async def _buy(self, upload: Upload, offers: tuple[Offer, ...], at_once: bool) -> Paid:
        if offers:
            self._tell("quoted", upload=upload)
            await self._pay(offers, self._quoted)
        headers = {"content-type": upload.content_type} | ({"prefer": "respond-async, wait=0"} if at_once else {})
        return await self._upload(upload.body, headers)

    async def _upload(self, body: bytes, headers: Mapping[str, str]) -> Paid:
        while True:
            self._tell("uploading")
            answer = await self._send("POST", self._flow.gateway + EDIT_PATH, body, headers)
            if answer.status == 202:
                self._accept(answer)
                return await self._poll()
            if answer.status == 200:
                return await self._deliver(answer)
            if answer.status == 402:
                if not await self._pay_again(answer):
                    raise self._refused(answer)
            elif self._is_unsettled(answer):
                await self._wait(answer.retry_after or 1, answer)
            else:
                raise from_answer(answer, self._flow.gateway)

    async def _poll(self) -> Paid:
        """A Solana payment is no proof for long, and money: until the job is ready the wallet's signature asks."""
        pause, answer = _FIRST_WAIT, None
        self._proving = self._payment is None or self._payment.network.family == "svm"
        while True:
            self._tell("waiting", answer)
            await self._wait((answer and answer.retry_after) or pause, answer)
            pause = min(pause * _BACKOFF, _LONGEST_WAIT)
            answer = await self._ask()
            if answer.status == 200:
                return await self._deliver(answer)
            if answer.status == 402:
                # Not yet ours to renew: the old payment may still settle, so the job is asked again until it lapsed.
                await self._pay_again(answer)
            elif answer.status not in (202, 503):
                raise from_answer(answer, self._flow.gateway)

    async def _ask(self) -> Answer:
        if not self._proving:
            return await self._send("GET", self._poll_url)
        answer = await self._send("GET", self._poll_url, headers=self._payer.proof(self._job), paying=False)
        if self._payment is None or answer.status not in (402, 404):
            return answer
        self._proving = False  # it is ready, or takes no proof: the payment itself asks from now on
        return await self._send("GET", self._poll_url)

    def _accept(self, answer: Answer) -> None:
        said = answer.json() or {}
        place = printable(said.get("poll_url"))
        try:
            url = urljoin(self._flow.gateway + "/", place)
        except ValueError:
            url = ""
        if not place or origin_of(url) != origin_of(self._flow.gateway):
            raise UpstreamFailed(
                f"{self._flow.gateway} accepted the edit but names no place of its own to ask for it.", advice=_IN_DOUBT
            )
        self._job, self._poll_url = printable(said.get("id")), url

    async def _deliver(self, answer: Answer) -> Paid:
        said = answer.json()
        receipt = read_receipt(answer.headers, said)
        if said is not None and said.get("status") in ("failed", "cancelled"):
            ended = from_code(said.get("code"), said.get("error"), EngineFailed)
            ended.extra["over"] = True
            raise ended
        data = said.get("data") if said is not None else None
        if self._payment is not None and (receipt is not None or data):
            await self._payer.settled(self._payment, receipt)
            self._sent, paid, self._payment = False, self._payment.price, None
        else:
            paid = None
        if said is None or not isinstance(data, list) or not data:
            raise UpstreamFailed(
                f"{self._flow.gateway} answered 200 without a picture.",
                advice=f"It was paid by {receipt.tx_hash}: ask its operator." if receipt else "No receipt came.",
                extra={"tx_hash": receipt.tx_hash} if receipt else {},
            )
        self._tell("delivered")
        return Paid(said, paid, receipt)

    async def _pay(self, offers: tuple[Offer, ...], limit: Price | None) -> None:
        self._payment = await self._payer.pay(offers, quoted=limit, gateway=self._flow.gateway)
        self._signed, self._sent = self._signed + 1, False
        self._tell("signed")

    async def _pay_again(self, answer: Answer) -> bool:
        """Answer a 402 with a fresh payment if that cannot cost more than allowed; False if it could, for now."""
        offers = read_402(answer.headers, answer.body)
        asked = Price(offers[0].requirement.amount)
        before = self._payment
        if before is not None:
            fate = await self._fate(before)
            if fate is Fate.SPENT:
                raise SpendingPolicy(
                    f"{self._flow.gateway} asks {asked} again although its first payment was taken.",
                    advice="Nothing more was signed. Ask its operator.",
                )
            at_risk = self._at_risk + (before.price.atomic if fate is Fate.ALIVE else 0)
            if self._quoted is not None and asked > self._quoted and not self._within(asked, at_risk):
                raise SpendingPolicy(
                    f"{self._flow.gateway} asks {asked} now, after a quote of {self._quoted}.",
                    advice="Nothing more was signed. Ask for a new quote, or allow more with max_price.",
                )
            if self._signed >= _PAYMENTS or not self._within(asked, at_risk):
                return False
            self._at_risk, self._payment = at_risk, None
            await self._payer.doubtful(before)
        left = None if self._allowed is None else Price(self._allowed.atomic - self._at_risk)
        await self._pay(offers, left)
        return True

    async def _fate(self, payment: SignedPayment) -> Fate:
        try:
            return await self._payer.fate(payment)
        except Unavailable:
            return Fate.ALIVE  # nobody knows: count it

    def _within(self, asked: Price, at_risk: int) -> bool:
        return self._allowed is not None and at_risk + asked.atomic <= self._allowed.atomic

    async def _send(
        self,
        method: str,
        url: str,
        content: bytes | None = None,
        headers: Mapping[str, str] = {},
        *,
        paying: bool = True,
    ) -> Answer:
        """Send until an answer comes, always with the same payment. Raises Unavailable."""
        whole = {**JSON, **headers, **(dict([self._payment.header]) if self._payment and paying else {})}
        for attempt in range(1, _SENDS + 1):
            try:
                # Set before the bytes go: from here on the payment may be taken.
                was_sent, self._sent = self._sent, self._sent or paying
                return await send(self._flow.http, method, url, content=content, headers=whole)
            except NotSent as failure:
                self._sent = was_sent
                if attempt == _SENDS or not was_sent:
                    raise self._lost() from failure
            except NoAnswer as failure:
                if attempt == _SENDS:
                    raise self._lost() from failure
            await self._wait(_FIRST_WAIT * 2 ** (attempt - 1), None)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _wait(self, seconds: float, answer: Answer | None) -> None:
        seconds = min(seconds, _LONGEST_RETRY_AFTER)
        if self._flow.clock() + seconds > self._deadline:
            self._give_up(answer)
        await self._flow.sleep(seconds)

    def _give_up(self, answer: Answer | None) -> NoReturn:
        where = {"job": self._job, "poll_url": self._poll_url} if self._poll_url else {}
        if answer is not None and answer.status == 402:
            raise self._refused(answer)
        if answer is not None and self._is_unsettled(answer):
            raise SettlementUnknown(f"{self._flow.gateway} does not yet know whether it was paid.", extra=where)
        if not where:
            raise self._lost()
        raise EditTimeout(
            f"{self._flow.gateway} has not finished after {self._flow.patience:g} s.",
            advice="Ask for the job again later: it is charged only when it is finished.",
            extra=where,
        )

    def _refused(self, answer: Answer) -> TollbrushError:
        said = answer.json() or {}
        reason = printable(said.get("reason")) or "refused"
        words = (printable(said.get("error")) or reason).rstrip(".")
        return build(PaymentRefused, f"{self._flow.gateway} refused the payment: {words}.", _IN_DOUBT, reason=reason)

    def _lost(self) -> Unavailable:
        if not self._sent or self._payment is None:
            return unreachable(self._flow.gateway)
        return Unavailable(
            f"{self._flow.gateway} stopped answering after the payment was sent.",
            advice=_IN_DOUBT,
            extra={"job": self._job, "poll_url": self._poll_url} if self._poll_url else {},
        )

    def _is_unsettled(self, answer: Answer) -> bool:
        return answer.status == 503 and (answer.json() or {}).get("code") == SettlementUnknown.code

    def _tell(self, stage: Stage, answer: Answer | None = None, upload: Upload | None = None) -> None:
        if self._progress is None:
            return
        said = (answer.json() if answer else None) or {}
        fraction, position = said.get("progress"), said.get("queue_position")
        self._progress(
            Progress(
                stage,
                price=self._payment.price if self._payment else self._quoted,
                payment=self._payment,
                job=self._job,
                poll_url=self._poll_url,
                fraction=float(fraction)
                if isinstance(fraction, int | float) and not isinstance(fraction, bool)
                else None,
                queue_position=position if isinstance(position, int) else None,
                upload=upload,
                preview=preview_of(said),
            )
        )
