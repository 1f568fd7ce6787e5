"""The lifecycle table is complete, connected, and walked at random it holds its invariants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.workflow import (
    FINAL,
    STATUS_NAMES,
    TRANSITIONS,
    VERB_NAMES,
    CaseStatus,
    Verb,
    next_status,
)
from store.errors import WorkflowError


def test_every_status_and_verb_has_a_name() -> None:
    assert set(STATUS_NAMES) == set(CaseStatus)
    assert set(VERB_NAMES) == set(Verb)


@pytest.mark.parametrize("status", sorted(set(CaseStatus) - FINAL))
def test_every_open_status_can_reach_closed(status: CaseStatus) -> None:
    reached, frontier = {status}, [status]
    while frontier:
        here = frontier.pop()
        for (before, _), after in TRANSITIONS.items():
            if before is here and after not in reached:
                reached.add(after)
                frontier.append(after)
    assert CaseStatus.CLOSED in reached


def test_every_status_but_the_first_is_entered() -> None:
    assert set(TRANSITIONS.values()) | {CaseStatus.RECEIVED} == set(CaseStatus)


@given(st.lists(st.sampled_from(sorted(Verb)), max_size=40))
def test_random_commands_never_skip_dispatch(verbs: list[Verb]) -> None:
    status, dispatched = CaseStatus.RECEIVED, False
    for verb in verbs:
        try:
            status = next_status(status, verb)
        except WorkflowError:
            assert (status, verb) not in TRANSITIONS
            continue
        dispatched = dispatched or status is CaseStatus.DISPATCHED
        if status in {
            CaseStatus.HANDLING,
            CaseStatus.HANDLED,
            CaseStatus.CLOSED,
            CaseStatus.SUSPENDED,
        }:
            assert dispatched
