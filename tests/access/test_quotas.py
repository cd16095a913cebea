"""What a charge expects of an account whose quota is limited."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from function.access.quotas import crossed_warning
from function.tables.accounts import Account
from function.tables.usage import StorageAmount, charge, warning_threshold

AMOUNTS = st.integers(0, 200)


@given(st.integers(0, 100), AMOUNTS, st.integers(1, 120), AMOUNTS)
def test_a_charge_commits_where_its_decision_is_still_right(
    quota: int, used: int, grows: int, then: int
) -> None:
    """That is: there is still room, and the same side of the warning threshold is reached."""
    if used + grows > quota:
        return  # refused before
    when = charge(account(quota, used), StorageAmount(grows, 0)).when
    assert when
    values: dict[str, Any] = dict(when.values)
    holds = int(values.get(":bytes_used_min", 0)) <= then <= int(values[":bytes_used_max"])
    alike = crossed_warning(account(quota, used), StorageAmount(grows, 0)) == crossed_warning(
        account(quota, then), StorageAmount(grows, 0)
    )
    same_side = (used >= warning_threshold(quota)) is (then >= warning_threshold(quota))
    assert holds is (then + grows <= quota and alike and same_side)


@given(AMOUNTS)
def test_the_warning_threshold_is_the_least_whole_number_of_four_fifths(quota: int) -> None:
    """It is rounded up."""
    assert 5 * (warning_threshold(quota) - 1) < 4 * quota <= 5 * warning_threshold(quota)


def account(quota: int, used: int) -> Account:
    return Account(
        username="alice",
        id="1",
        password="",
        role="member",
        created="2026-09-21T14:13:20.250Z",
        epoch="2",
        rev="3",
        quota=quota,
        bytes_used=used,
    )
