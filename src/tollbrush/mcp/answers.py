"""Results as the tools' shapes and as words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tollbrush.mcp import shapes
from tollbrush.mcp.jobs import Job

if TYPE_CHECKING:
    from tollbrush.client import Edit


@dataclass(frozen=True)
class Answer:
    """A tool's result: `value` as its schema says, `text` for readers, `files` to link to, `pictures` to show small."""

    value: msgspec.Struct
    text: str = ""
    files: Sequence[Path] = ()
    pictures: Sequence[bytes] = field(default=(), repr=False)


def edited(edit: Edit, job: Job, files: Sequence[Path]) -> Answer:
    answer = edit.answer
    paid = None if edit.price is None else edit.price.dollars
    payment = answer.get("payment")
    value = shapes.EditResult(
        status="completed",
        job=job.id,
        files=[
            shapes.File(str(path), i.width, i.height, i.mime_type, i.preserved, i.edited_fraction, i.seed)
            for path, i in zip(files, edit.images, strict=True)
        ],
        price=None if paid is None else plain(paid),
        model=edit.model or None,
        requested_model=_text(answer.get("requested_model")),
        network=_text(payment.get("network")) if isinstance(payment, dict) else None,
        transaction=edit.receipt.tx_hash if edit.receipt else None,
        replayed=bool(answer.get("replayed")),
    )
    lines = [f"Saved {f.path} ({f.width}x{f.height})." for f in value.files]
    if value.replayed:
        lines.append("The same edit as before: not paid for again.")
    elif edit.price is not None:
        where = f" on {value.network}, transaction {value.transaction}" if value.transaction else ""
        lines.append(f"Paid {edit.price} to {edit.model}{where}.")
    return Answer(value, "\n".join(lines), files, [image.bytes for image in edit.images])


def model_row(row: Mapping[str, Any]) -> shapes.ModelRow:
    pricing = row.get("pricing")
    return shapes.ModelRow(
        id=_text(row.get("id")) or "",
        name=_text(row.get("name")) or "",
        available=row.get("available") is not False,
        mask=row.get("mask") is True,
        pricing={str(k): str(v) for k, v in pricing.items()} if isinstance(pricing, dict) else {},
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def plain(amount: Decimal) -> str:
    """Plain, with two places at least: 0.021, 20.00."""
    text = format(amount, "f")
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents.rstrip('0').ljust(2, '0')}"
