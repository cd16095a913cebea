"""The role of the function allows what the function does, and nothing else.

Every test refuses calls that the role does not allow. Here each operation is done once, to find
permissions that nothing needs.
"""

import pytest

from function import app, contract
from tests.crashes.operations import OPERATIONS
from tests.crashes.world import World
from tests.support.client import CONTEXT
from tests.support.fake_aws import FakeAws


def test_every_permission_is_used(world: World, fake_aws: FakeAws) -> None:
    """By a route or a schedule; a notification of the bucket completes uploads as routes do."""
    role = fake_aws.role
    role.used.clear()
    for operation in OPERATIONS:
        world.begin(operation)
        world.send(operation)
    world.restore()
    assert world.people["root"].delete("/users/alice").status in {202, 204}
    for event in (contract.SWEEP_EVENT, contract.RECONCILE_EVENT):
        app.lambda_handler(dict(event), CONTEXT)
    assert role.allowed - role.used == set()


def test_a_call_that_the_role_does_not_allow_fails(
    world: World, fake_aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in AWS; those of tests themselves need no permission."""
    role = fake_aws.role
    lacking = {("Query", name) for _, name in role.allowed if name.endswith("-files")}
    monkeypatch.setattr(role, "allowed", role.allowed - lacking)
    assert world.people["alice"].get("/trash").status == 500
    monkeypatch.undo()
    assert world.people["alice"].get("/trash").status == 200
