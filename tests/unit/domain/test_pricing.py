from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbrush.domain.pricing import Price, with_margin

dollars = st.decimals(min_value=0, max_value=10_000, places=9)


@pytest.mark.parametrize(
    ("base", "atomic"), [("0.02", 21_000), ("0.04", 42_000), ("0.06", 63_000), ("0.002", 2_100), ("0.005", 5_250)]
)
def test_five_percent(base: str, atomic: int) -> None:
    assert with_margin(Decimal(base), Decimal("0.05")) == Price(atomic)


def test_wire_form_is_exact() -> None:
    assert Price(21_000).wire() == {"amount": "0.021000", "currency": "USD"}


@pytest.mark.parametrize(
    ("atomic", "text"), [(21_000, "$0.021"), (1_000_000, "$1.00"), (1, "$0.000001"), (0, "$0.00"), (2_500_000, "$2.50")]
)
def test_as_people_read_it(atomic: int, text: str) -> None:
    assert str(Price(atomic)) == text


@given(dollars)
def test_rounds_up_by_less_than_one_unit(amount: Decimal) -> None:
    excess = Price.of(amount).dollars - amount
    assert 0 <= excess < Decimal("0.000001")


@given(dollars, st.decimals(min_value=0, max_value=3, places=4))
def test_margin_never_loses_a_unit(base: Decimal, margin: Decimal) -> None:
    price = with_margin(base, margin).dollars
    assert base * (1 + margin) <= price < base * (1 + margin) + Decimal("0.000001")


@given(st.integers(0, 10**15), st.integers(1, 10))
def test_n_images_cost_n_times(atomic: int, n: int) -> None:
    assert (Price(atomic) * n).atomic == atomic * n
    assert (Price(atomic) * n).dollars == Price(atomic).dollars * n


def test_no_negative_price() -> None:
    with pytest.raises(ValueError, match="negative"):
        Price(-1)
