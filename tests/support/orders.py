"""What buyers of a tiny open model do in tests: pay, wait for the answer or poll the job, look at what it cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from support.pictures import data_uri, photo
from support.shop import EDIT, FUNDS, Buyer, Shop, offer, payment_header
from support.waiting import until

NETWORK = "eip155:84532"
SIZE = "64x96"
PRICE = 10_500
"""Of a picture of that size, in atomic units."""
ROW: Mapping[str, Any] = {"engine": "diffusion", "licence": "Apache-2.0", "mask": True, "sizes": {SIZE: "0.01"}}
"""Of a model for sale; its weights are to be added."""
ENDED = ("completed", "failed", "cancelled")


@dataclass(frozen=True)
class Job:
    url: str
    headers: dict[str, str]

    def poll(self) -> dict[str, Any]:
        said: dict[str, Any] = httpx2.get(self.url, headers=self.headers, timeout=60).json()
        return said

    def progress(self, beyond: float = 0.0) -> float:
        """Once it is further than this."""

        def look() -> float | None:
            said = self.poll()
            assert said["status"] not in ENDED, said
            done = float(said.get("progress") or 0)
            return done if done > beyond else None

        return until(look, f"{self.url} makes no progress")

    def answers(self) -> list[dict[str, Any]]:
        """Every answer up to the last."""
        seen: list[dict[str, Any]] = []

        def look() -> list[dict[str, Any]] | None:
            seen.append(self.poll())
            return seen if seen[-1]["status"] in ENDED else None

        return until(look, f"{self.url} is still at work")

    def ended(self) -> dict[str, Any]:
        return self.answers()[-1]

    def cancel(self) -> None:
        assert httpx2.delete(self.url, headers=self.headers, timeout=60).status_code == 200


@dataclass
class Counter:
    """Where `shop` sells. `said`: how much of its log was there when the last job began."""

    shop: Shop
    asked: Mapping[str, Any] = field(
        default_factory=lambda: {
            "model": "acme/tiny",
            "prompt": "make it snowy",
            "size": SIZE,
            "image": data_uri(photo(64, 96)),
            "seed": 5,
        }
    )
    said: int = 0

    def buy(self, buyer: Buyer, **changes: Any) -> httpx2.Response:
        """Paid, and waited for."""
        body, headers = self._paid(buyer, changes)
        headers["Prefer"] = "wait=240"
        return httpx2.post(self.shop.url + EDIT, json=body, headers=headers, timeout=300)

    def begin(self, buyer: Buyer, **changes: Any) -> Job:
        """Paid, and answered with a job."""
        self.said = len(self.shop.log.read_text())
        body, headers = self._paid(buyer, changes)
        taken = self.shop.post(body, headers)
        assert taken.status_code == 202, taken.text
        return Job(self.shop.url + taken.json()["poll_url"], headers)

    def stream(self, buyer: Buyer, model: str, previews: int) -> list[dict[str, Any]]:
        """Paid at the OpenAI door, with unfinished pictures; every event of the answer."""
        fields = {"model": model, "prompt": "make it snowy", "size": SIZE, "stream": "true"}
        fields["partial_images"] = str(previews)
        url, files = f"{self.shop.url}/v1/images/edits", {"image": photo(64, 96)}
        asked = httpx2.post(url, data=fields, files=files)
        headers = {"X-Payment": payment_header(self.shop, buyer, offer(asked, NETWORK))}
        with httpx2.stream("POST", url, data=fields, files=files, headers=headers, timeout=300) as stream:
            lines = [line for line in stream.iter_lines() if line.startswith("data: ")]
        return [json.loads(line.removeprefix("data: ")) for line in lines]

    def news(self) -> str:
        """What the gateway has logged since the last job began."""
        return self.shop.log.read_text()[self.said :]

    def spent(self, buyer: Buyer) -> int:
        return FUNDS - self.shop.base.balance(buyer.address(NETWORK))

    def _paid(self, buyer: Buyer, changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        body = {**self.asked, **changes}
        asked = self.shop.post(body)
        assert asked.status_code == 402, asked.text
        return body, {"X-Payment": payment_header(self.shop, buyer, offer(asked, NETWORK))}
