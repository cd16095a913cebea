"""What the configuration promises: each key described, read and checked before anything is made."""

from dataclasses import make_dataclass

import pulumi
import pytest
import yaml

from function import contract
from local import declare, imagine
from tests.stack.declared import Stack

PROJECT = yaml.safe_load((declare.ROOT / "Pulumi.yaml").read_text())

OTHER = {
    "protect": "false",
    "allowedOrigins": '["https://other.example"]',
    "sessionHours": "3",
    "passwordMinLength": "15",
    "keepDays": "9",
    "logRetentionDays": "90",
    "throttleRate": "7",
    "throttleBurst": "8",
    "memoryMb": "2048",
    "keepVersions": "5",
    "administrator": "alice",
    "registration": "closed",
    "defaultRole": "client",
    "quotaMb": "10",
    "quotaFiles": "10",
    "uploadRules": '{"member": {"types": [".pptx"], "maxBytes": 5}}',
    "auditDays": "7",
    "mailFrom": "satchel@files.example.org",
}
WRONG = [
    ("protect", "perhaps"),
    ("allowedOrigins", '["*"]'),
    ("allowedOrigins", '["http://files.example.org"]'),
    ("allowedOrigins", '["https://files.example.org/"]'),
    ("allowedOrigins", "https://files.example.org"),
    ("sessionHours", "0"),
    ("sessionHours", "soon"),
    ("passwordMinLength", "7"),
    ("keepDays", "0"),
    ("logRetentionDays", "31"),
    ("throttleRate", "0"),
    ("throttleBurst", "1000000"),
    ("memoryMb", "128"),
    ("keepVersions", "0"),
    ("administrator", "no one"),
    ("registration", "maybe"),
    ("defaultRole", "admin"),
    ("quotaMb", "-1"),
    ("quotaFiles", "many"),
    ("uploadRules", "none"),
    ("uploadRules", "[]"),
    ("uploadRules", '{"member": [".pptx"]}'),
    ("uploadRules", '{"guest": {"types": [".pptx"]}}'),
    ("uploadRules", '{"member": {"types": ["pptx"]}}'),
    ("uploadRules", '{"member": {"maxBytes": 0}}'),
    ("uploadRules", '{"member": {"maxBytes": "5"}}'),
    ("uploadRules", '{"member": {"size": 1}}'),
    ("auditDays", "0"),
    ("mailFrom", "nobody"),
]


@pytest.fixture(scope="module")
def plain():
    """The resources of a stack that has the defaults."""
    return Stack("production", {}).resources


@pytest.mark.parametrize("key", sorted(PROJECT["config"]))
def test_a_key_is_described_has_a_default_and_matters(key, plain):
    """A key that changes nothing is a promise that nobody keeps."""
    about = PROJECT["config"][key]
    kinds = {"boolean": bool, "integer": int, "array": list, "string": str}
    assert type(about["default"]) is kinds[about["type"]]
    assert len(about["description"]) > 20
    assert Stack("production", {key: OTHER[key]}).resources != plain


@pytest.mark.parametrize("key", sorted(PROJECT["config"]))
def test_a_missing_key_stops_the_program(key):
    """Nothing is made with half a configuration."""
    values = declare.configuration("production")
    del values[f"satchel:{key}"]
    with pytest.raises(pulumi.ConfigMissingError, match=key):
        declare.run("production", values, imagine.made)


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_wrong_value_stops_the_program(key, value):
    """What AWS would refuse half-way, or what would be unsafe, fails before anything is made."""
    with pytest.raises(ValueError, match=f"^{key}[^;]* = "):
        declare.declare("production", {key: value})


def test_the_error_names_every_wrong_setting():
    """An operator corrects all of them before the next attempt."""
    sentences = r"^allowedOrigins.0 = \*: .* https://files.example.org; keepDays = 0: "
    with pytest.raises(ValueError, match=sentences):
        declare.declare("production", {"keepDays": "0", "allowedOrigins": '["*"]'})


def test_a_setting_that_the_function_expects_and_the_stack_forgets_stops_the_program(monkeypatch):
    """The contract is checked when the stack runs, not when a person's request fails."""
    more = make_dataclass("Settings", [("colour", str)], bases=(contract.Settings,), frozen=True)
    monkeypatch.setattr(contract, "Settings", more)
    with pytest.raises(TypeError, match="colour"):
        declare.declare("production")


def test_the_stacks_files_hold_no_key_that_nobody_reads():
    """A misspelt key would silently leave the default in force."""
    with pytest.raises(KeyError, match="keepDayz"):
        declare.declare("production", {"keepDayz": "4"})
    for path in declare.ROOT.glob("Pulumi.*.yaml"):
        assert declare.configuration(path.name.split(".")[1])
