"""Retries stay a tenth of the calls, whatever happens."""

from hypothesis import given
from hypothesis import strategies as st

from meshkit.resilience.retry_budget import RetryBudget


@given(st.lists(st.booleans(), max_size=3000))
def test_retries_never_exceed_a_tenth_of_the_calls_and_the_reserve(wants_retry):
    budget = RetryBudget(ratio=0.1, most=10)
    retries = 0
    for calls, wanted in enumerate(wants_retry, 1):
        budget.earn()
        retries += wanted and budget.spend()
        assert retries <= 0.1 * calls + 10 + 1e-6


def test_a_quiet_client_may_retry_from_the_beginning():
    budget = RetryBudget()
    budget.earn()
    assert budget.allows
    assert budget.spend()


def test_what_is_not_there_is_not_spent():
    budget = RetryBudget(ratio=0.5, most=1)
    assert [budget.spend(), budget.spend()] == [True, False]
    budget.earn()
    assert not budget.allows
    budget.earn()
    assert budget.spend()
