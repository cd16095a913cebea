"""Random requests with random faults: the views of all people equal those of the model.

`make model` takes more steps: STEPS of them, from a new seed or from SEED.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from unittest import mock

import boto3
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.internal.conjecture.engine import ConjectureRunner
from hypothesis.stateful import run_state_machine_as_test

from function.contract import Settings
from tests.conftest import Clock
from tests.crashes.seen import Violation
from tests.stateful.house import BY_NAME, House, rewired
from tests.stateful.machine import Sharing
from tests.stateful.mutants import MUTANTS, Mutant
from tests.support.fake_aws import FakeAws

STEPS_OF_EXAMPLE = 25
STEPS, SEED = os.environ.get("STEPS"), os.environ.get("SEED")
# What has to happen for a run to have shown anything.
HAPPENS = (
    "acknowledged under a fault", "deleted a group",
    "deleted what was shared", "disabled", "downloaded by link: 200",
    "downloaded by link: 410", "enabled", "expired", "link 200", "link 401", "link 404",
    "link 410", "link shows a file", "nothing there", "put another's", "read another's",
    "reads another's", "refused", "refused a write", "removed a member", "removed what had expired",
    "renamed what was shared", "seen done", "seen not done", "through a group", "unshared",
    "writes another's", "restored a version", "brought back", "emptied the trash",
    "deleted for good", "copied", "copied another's", "moved a folder",
    "moved a folder that was shared", "no room", *(f"fault: {name}" for name in BY_NAME),
)  # fmt: skip
# Those that take more steps than most to be noticed wait for `make model`.
LATE = {
    "a rename leaves grants behind", "a namesake inherits grants", "a group outlives itself",
    "a quota is not looked at", "a copy goes with its original", "what is taken back stays",
    "a folder leaves its rights behind", "grants never expire", "a link is never revoked",
}  # fmt: skip
NOTICED = [each for each in MUTANTS if STEPS or each.name not in LATE]
RARE = (
    "accepted an invitation",
    "left",
    "downloaded by link: 401",
    "an old grant was tried",
    "a namesake came",
    "link lost on the way",
    "went on with what was cut off",
)


@pytest.fixture
def build(
    fake_aws: FakeAws, settings: Settings, clock: Clock, _session: boto3.Session
) -> Iterator[Callable[..., House]]:
    """Creates the system, as it is or with a wrong version of the code."""
    with ExitStack() as changes:

        def made(mutant: Mutant | None = None) -> House:
            if mutant:
                changes.enter_context(mutant.built())
            rewired(settings, clock, _session)
            return House(fake_aws, settings, clock, _session)

        yield made


def run(house: House, steps: int, start: int) -> None:
    """Takes that many steps, in examples that start from the beginning.

    Without mutations: Hypothesis would follow each example by five similar ones.
    """

    @seed(start)
    def machine() -> Sharing:
        return Sharing(house)

    most = settings(
        max_examples=-(-steps // STEPS_OF_EXAMPLE),
        stateful_step_count=STEPS_OF_EXAMPLE,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with mock.patch.object(ConjectureRunner, "generate_mutations_from", return_value=None):
        run_state_machine_as_test(machine, settings=most)


@pytest.mark.slow
@pytest.mark.parametrize("start", [1, 2])
def test_nobody_sees_what_the_model_forbids(build: Callable[..., House], start: int) -> None:
    """A thousand steps, in which each event of HAPPENS occurred."""
    house = build()
    run(house, 1100, start)
    assert house.hits["steps"] >= 1000
    assert [what for what in HAPPENS if not house.hits[what]] == []


@pytest.mark.slow
@pytest.mark.parametrize("mutant", NOTICED, ids=lambda mutant: mutant.name)
def test_wrong_design_is_caught(build: Callable[..., House], mutant: Mutant) -> None:
    """The machine finds it within a thousand steps."""
    house = build(mutant)
    with pytest.raises(Violation):
        run(house, 1000, 1)


@pytest.mark.skipif(STEPS is None, reason="run by `make model`")
def test_nobody_ever_does(build: Callable[..., House], capsys: pytest.CaptureFixture[str]) -> None:
    """Takes STEPS steps."""
    house, start = build(), int(SEED or random.randrange(2**32))
    with capsys.disabled():
        print(f"\nSEED={start}")  # noqa: T201
    steps = int(STEPS or 0)
    while house.hits["steps"] < steps:
        run(house, min(steps - house.hits["steps"], 5000), start)
        start += 1
    must = (*HAPPENS, *RARE) if steps >= 10_000 else HAPPENS if steps >= 2_000 else ()
    assert [what for what in must if not house.hits[what]] == []
