"""The settings of the stack: described, documented, and checked before anything is created."""

import hashlib
import json
import re
import shlex
from dataclasses import make_dataclass

import pulumi
import pytest
import yaml

from function import contract
from infra.config import StackConfig
from local import ROOT, record
from local.fake_outputs import fake_outputs
from tests.stack.declared import Stack

SETTINGS = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
TYPES = {"boolean": bool, "integer": int, "array": list, "string": str}
DOCUMENT = (ROOT / "docs" / "reference" / "configuration.md").read_text()
DOCUMENTED = [
    [cell.strip() for cell in row.strip("|").split(" | ")]
    for row in re.findall(r"^\| `.*", DOCUMENT, re.MULTILINE)
]
EXAMPLES = {key.strip("`"): yaml.safe_load(cells[-1].strip("`")) for key, *cells in DOCUMENTED}
WRONG = [
    ("allowedOrigins", ["*"]),
    ("allowedOrigins", ["http://files.example.org"]),
    ("allowedOrigins", ["https://files.example.org/"]),
    ("sessionHours", "0"),
    ("idleMinutes", "4"),
    ("requireMfa", "some"),
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
    ("quotaFiles", "-1"),
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
    ("trustedProxies", ["10.0.0.1/8"]),
    ("trustedProxies", ["0.0.0.0/0"]),
    ("trustedProxies", ["::/0"]),
    ("trustedProxies", ["proxy.example.org"]),
    ("administratorToken", "short"),
    ("administratorToken", "with a space and more than thirty-two"),
    ("originSecret", "short"),
    ("originSecret", "with a space and more than thirty-two"),
]


# What the command line refuses before it runs the program.
WRONG_TYPES = [
    ("protect", "perhaps"),
    ("protect", "True"),
    ("protect", 1),
    ("allowedOrigins", '["https://files.example.org"]'),
    ("allowedOrigins", "https://files.example.org"),
    ("allowedOrigins", [443]),
    ("sessionHours", "soon"),
    ("sessionHours", "1.5"),
    ("sessionHours", 1.5),
    ("sessionHours", True),
    ("quotaFiles", "many"),
    ("uploadRules", {"member": {"types": [".pptx"]}}),
    ("administrator", 7),
]


def set_by_command_line(command):
    """The key and the value that one `pulumi config set` of a document stores.

    Asserts that an item of a list is set by its path, and a secret as one.
    """
    words = shlex.split(command.partition(" && ")[0])
    options, (setting, value) = {word for word in words if word.startswith("--")}, words[-2:]
    key, item = re.fullmatch(r"satchel:(\w+)(\[0\])?", setting).groups()
    assert options == ({"--path"} if item else set()) | (
        {"--secret"} if SETTINGS[key].get("secret") else set()
    )
    return key, [value] if item else value


@pytest.fixture(scope="module")
def plain():
    """The resources of a stack that has the defaults."""
    return Stack("production", {}).resources


def test_the_document_lists_the_settings_that_the_project_declares():
    """Each setting once, with the same type, default and meaning."""
    documented = {key.strip("`"): cells for key, *cells in DOCUMENTED}
    assert documented.keys() == SETTINGS.keys()
    assert len(documented) == len(DOCUMENTED)
    for key, (kind, default, meaning, _) in documented.items():
        setting = SETTINGS[key]
        assert (kind, meaning) == (setting["type"], setting["description"])
        assert yaml.safe_load(default.strip("`")) == setting["default"]


@pytest.mark.parametrize("key", sorted(SETTINGS))
def test_a_setting_has_a_default_and_an_effect(key, plain):
    """The example of the document is valid and changes a resource."""
    kind, default = TYPES[SETTINGS[key]["type"]], SETTINGS[key]["default"]
    assert type(default) is type(EXAMPLES[key]) is kind
    assert EXAMPLES[key] != default
    assert Stack("production", {key: EXAMPLES[key]}).resources != plain


def test_a_description_gives_the_range_of_a_number():
    """The range of `infra.config`, which refuses other numbers."""
    fields = StackConfig.model_json_schema()["properties"]
    assert fields.keys() == SETTINGS.keys()
    ranges = {key: field for key, field in fields.items() if "minimum" in field}
    integers = {key for key in SETTINGS if SETTINGS[key]["type"] == "integer"}
    assert ranges.keys() == integers - {"logRetentionDays"}
    for key, field in ranges.items():
        assert f"{field['minimum']} to {field['maximum']}" in SETTINGS[key]["description"]


def test_the_commands_of_the_document_set_valid_values():
    """`pulumi config set` takes one item of a list at a time, and only by its path."""
    commands = re.findall(r"^\$ pulumi config set (.*)$", DOCUMENT, re.MULTILINE)
    config = dict(map(set_by_command_line, commands))
    assert {TYPES[SETTINGS[key]["type"]] for key in config} >= {int, list, str}
    (local,) = re.findall(r"^\$ SATCHEL_CONFIG='(.*)' make serve$", DOCUMENT, re.MULTILINE)
    assert Stack("dev", json.loads(local))


def test_the_command_line_and_the_program_accept_what_a_document_sets():
    """Each command as it is written, whatever the type of its setting."""
    tried = set()
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        commands = re.findall(r"pulumi config set (.*satchel:[^`\n]*)", path.read_text())
        if config := dict(map(set_by_command_line, commands)):
            assert Stack("production", config)
            tried |= config.keys()
    assert {"allowedOrigins", "protect", "uploadRules"} <= tried


@pytest.mark.parametrize(("key", "value"), WRONG_TYPES)
def test_the_command_line_refuses_a_value_of_another_type(key, value):
    """`make serve` and the tests run the program, so they must refuse what Pulumi refuses."""
    with pytest.raises(ValueError, match=f"^stack production: {key} must be of type "):
        record.record_resources("production", {key: value})


@pytest.mark.parametrize("key", sorted(SETTINGS))
def test_a_missing_setting_stops_the_program(key):
    """No resource is created with half a configuration."""
    values = record.configuration("production")
    del values[f"satchel:{key}"]
    with pytest.raises(pulumi.ConfigMissingError, match=key):
        record.run_program("production", values, fake_outputs)


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_wrong_value_stops_the_program(key, value):
    """An unsafe value, or one that AWS would refuse in the middle of a deployment."""
    with pytest.raises(ValueError, match=f"^{key}[^;]* = "):
        record.record_resources("production", {key: value})


def test_the_error_names_every_wrong_setting():
    """An operator corrects all of them before the next attempt."""
    sentences = r"^allowedOrigins.0 = \*: .* https://files.example.org; keepDays = 0: "
    with pytest.raises(ValueError, match=sentences):
        record.record_resources("production", {"keepDays": "0", "allowedOrigins": ["*"]})


@pytest.mark.parametrize("setting", ["originSecret", "administratorToken"])
def test_an_error_repeats_no_secret(setting):
    """It stands on a terminal, and in the logs of whoever deploys."""
    with pytest.raises(ValueError, match=rf"^{setting} = …: ") as error:
        record.record_resources("production", {setting: "a mistyped secret"})
    assert "mistyped" not in str(error.value)


@pytest.mark.parametrize("setting", ["originSecret", "administratorToken"])
def test_only_the_hash_of_a_secret_reaches_the_function(setting):
    """Whoever reads the function's configuration could else choose any address, or a role."""
    secret = "Zk3yQ9mR7bT1xW5cV8nJ2pL6sD4fG0hA"
    stack = Stack("production", {setting: secret})
    assert secret not in repr(stack.resources)
    assert hashlib.sha256(secret.encode()).hexdigest() in repr(stack.resources)


def test_a_setting_of_the_function_that_the_stack_does_not_give_stops_the_program(monkeypatch):
    """The deployment fails, and not the first request."""
    more = make_dataclass("Settings", [("colour", str)], bases=(contract.Settings,), frozen=True)
    monkeypatch.setattr(contract, "Settings", more)
    with pytest.raises(TypeError, match="colour"):
        record.record_resources("production")


def test_a_file_of_a_stack_holds_no_unknown_setting():
    """A misspelt setting would leave the default in force."""
    with pytest.raises(KeyError, match="keepDayz"):
        record.record_resources("production", {"keepDayz": "4"})
    for path in ROOT.glob("Pulumi.*.yaml"):
        assert record.configuration(path.name.split(".")[1])
