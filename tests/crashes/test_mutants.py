"""The enumerator and the interleaver find wrong versions of the code."""

import pytest

from tests.crashes.conftest import MakeWorld
from tests.crashes.crashes import Course, crashes
from tests.crashes.meetings import meetings
from tests.crashes.mutants import MUTANTS, Mutant
from tests.crashes.operations import BY_NAME

QUICK = {"commit without rev"}
ROWS = [
    pytest.param(each, id=each.name, marks=[] if each.name in QUICK else pytest.mark.slow)
    for each in MUTANTS
]


@pytest.mark.parametrize("mutant", ROWS)
def test_wrong_design_is_caught(wrong_world: MakeWorld, mutant: Mutant) -> None:
    """Undisturbed it is right; some cases of the enumeration find violations."""
    world, operation = wrong_world(mutant.built()), BY_NAME[mutant.operation]
    Course.record(world, operation)
    if mutant.meets:
        report = meetings(world, operation, (BY_NAME[mutant.meets],), {})
    else:
        report = crashes(world, operation)
    assert report.violations
    assert len(report.violations) < report.cases
