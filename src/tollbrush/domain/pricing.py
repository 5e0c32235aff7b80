"""Money: exact decimals in dollars, integer atomic units (10⁻⁶ USDC) on the wire. No I/O, no floats."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, localcontext
from typing import Final

USDC_DECIMALS: Final = 6
_UNIT: Final = Decimal(10) ** -USDC_DECIMALS


@dataclass(frozen=True, order=True)
class Price:
    """An amount of USDC in atomic units."""

    atomic: int

    def __post_init__(self) -> None:
        if self.atomic < 0:
            raise ValueError(f"a price cannot be negative: {self.atomic}")

    @property
    def dollars(self) -> Decimal:
        """Exact dollars with six decimals: 21000 → Decimal("0.021000")."""
        return (Decimal(self.atomic) * _UNIT).quantize(_UNIT)

    def __mul__(self, n: int) -> Price:
        return Price(self.atomic * n)

    def __str__(self) -> str:
        """As people read it: `$0.021`."""
        text = format(self.dollars, "f").rstrip("0")
        whole, _, cents = text.partition(".")
        return f"${whole}.{cents.ljust(2, '0')}"

    def wire(self) -> dict[str, str]:
        """`{"amount": "0.021000", "currency": "USD"}`."""
        return {"amount": format(self.dollars, "f"), "currency": "USD"}

    @classmethod
    def of(cls, dollars: Decimal) -> Price:
        """Dollars → atomic units, rounded up to one unit."""
        with localcontext() as exact:
            exact.prec = 60
            return cls(int((dollars / _UNIT).to_integral_value(ROUND_CEILING)))


def with_margin(base: Decimal, margin: Decimal) -> Price:
    """base × (1 + margin), rounded up to one atomic unit: 0.02 at 5 % → 21000."""
    with localcontext() as exact:
        exact.prec = 60
        return Price.of(base * (1 + margin))
