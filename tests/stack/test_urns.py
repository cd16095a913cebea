"""The identities of the resources of a production stack: they must not change after a release."""

from pathlib import Path
from unittest import mock

import pulumi
import pytest
from pulumi.runtime.mocks import MockMonitor

from tests.stack.declared import Stack

# Each URN, as `pulumi stack --show-urns` prints it, and the options that keep the resource:
# `protect` has Pulumi refuse to delete it, `retainOnDelete` leaves it in AWS.
PRODUCTION = Path(__file__).with_name("production_urns.txt")
WITH_ALL_RESOURCES = {"allowedOrigins": ["https://files.example.org"]}


def registered():
    """The options of each resource of a production stack, components included, by URN."""
    types, options = {}, {}
    register = MockMonitor.RegisterResource

    def note(monitor, request):
        answer = register(monitor, request)
        # The engine names all components above a resource, the mocks only the nearest one.
        types[answer.urn] = "$".join(filter(None, [types.get(request.parent), request.type]))
        if request.type == "pulumi:pulumi:Stack":
            types[answer.urn] = ""
        else:
            urn = f"urn:pulumi:production::satchel::{types[answer.urn]}::{request.name}"
            options[urn] = {
                each for each in ("protect", "retainOnDelete") if getattr(request, each)
            }
        return answer

    with mock.patch.object(MockMonitor, "RegisterResource", note):
        Stack("production", WITH_ALL_RESOURCES)
    return options


def listed():
    """The options of each resource that the list names, by URN."""
    lines = (line.split() for line in PRODUCTION.read_text().splitlines())
    return {urn: set(options) for urn, *options in lines}


def check(found):
    """Compare resources with the list. Raises AssertionError that says what Pulumi would do."""
    expected = listed()
    lost = sorted(expected.keys() - found.keys())
    assert not lost, (
        f"In every deployed stack `pulumi up` would replace {lost}. Pulumi identifies a resource by"
        " the types of its components, its own type and its name: a renamed component makes it"
        " create empty tables and delete the old ones, or stop where they are protected. Keep the"
        " names, or give the resource its old URN in `aliases` and then change production_urns.txt."
    )
    new = sorted(found.keys() - expected.keys())
    assert not new, f"Add {new} to production_urns.txt: the names are final with the next release."
    changed = {urn: found[urn] for urn in found if found[urn] != expected[urn]}
    assert not changed, f"Pulumi would protect resources differently: {changed}"


@pytest.fixture(scope="module")
def production():
    return registered()


def test_the_resources_of_production_keep_their_identity_and_their_protection(production):
    """A component under another name replaces its tables, and with them every account and file."""
    check(production)


def test_the_list_protects_what_holds_data_and_nothing_else():
    """A deployment can replace every other resource."""
    kept = {urn.split("::")[-2].split("$")[-1] for urn, options in listed().items() if options}
    assert kept == {"aws:s3/bucket:Bucket", "aws:dynamodb/table:Table"}
    assert {frozenset(options) for options in listed().values()} == {
        frozenset(),
        frozenset({"protect"}),
    }


def test_a_renamed_component_is_reported(monkeypatch):
    """Its children have other URNs although their own names are the same."""
    create = pulumi.ComponentResource.__init__

    def renamed(component, kind, *rest):
        create(component, kind.replace(":Storage", ":Data"), *rest)

    monkeypatch.setattr(pulumi.ComponentResource, "__init__", renamed)
    with pytest.raises(
        AssertionError, match=r"would replace .*Storage\$aws:dynamodb/table.*-files'"
    ):
        check(registered())


def test_a_new_resource_and_another_protection_are_reported(production):
    """Both are a line of the list."""
    with pytest.raises(AssertionError, match=r"Add \['urn:new'\] to production_urns.txt"):
        check({**production, "urn:new": set()})
    table = next(urn for urn, options in production.items() if options)
    with pytest.raises(AssertionError, match="would protect"):
        check({**production, table: set()})
