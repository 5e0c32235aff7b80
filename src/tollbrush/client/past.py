"""What was edited before, as its buyer reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self

from tollbrush.client.history import EditState, Row
from tollbrush.client.jobs import price_of
from tollbrush.client.problems import printable
from tollbrush.domain.pricing import Price
from tollbrush.errors import JobCancelled
from tollbrush.wire.offers import Receipt, read_receipt

_STATES: Final = {
    EditState.RUNNING: "in_progress",
    EditState.PAID: "completed",
    EditState.DONE: "completed",
    EditState.FAILED: "failed",
}


@dataclass(frozen=True)
class PastEdit:
    """`state` is in_progress, completed, cancelled or failed; `id` finds the job again. `urls` are its pictures;
    `error` says why there are none."""

    id: str
    at: datetime
    prompt: str
    state: str
    price: Price | None = None
    receipt: Receipt | None = None
    urls: tuple[str, ...] = ()
    error: str = ""
    answer: Mapping[str, Any] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, row: Row) -> Self:
        """From our own book."""
        state = _STATES[row.state] if row.code != JobCancelled.code else "cancelled"
        return cls._made(row.id, row.at, row.prompt, state, row.answer or row.bought, row.error)

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """From a row of a router's history."""
        at, answer = said.get("at"), said.get("answer")
        return cls._made(
            printable(said.get("id")),
            at if isinstance(at, int | float) else 0,
            printable(said.get("prompt")),
            printable(said.get("status")),
            answer if isinstance(answer, dict) else None,
            printable(said.get("error")),
        )

    @classmethod
    def _made(cls, name: str, at: float, prompt: str, state: str, answer: Mapping[str, Any] | None, error: str) -> Self:
        said = answer or {}
        entries = said.get("data")
        urls = [e.get("url") for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
        return cls(
            name,
            datetime.fromtimestamp(at, UTC),
            prompt,
            state,
            price_of(said.get("price")),
            read_receipt({}, said),
            tuple(url for url in urls if isinstance(url, str) and not url.startswith("data:")),
            error,
            answer,
        )
