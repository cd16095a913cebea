"""A stack as the program declares it, and its inputs checked against the types of Pulumi's SDK."""

import enum
import importlib
import json
import typing
from collections import abc
from typing import get_args, get_origin

import pulumi
from pulumi import _types

from local import record
from local.fake_outputs import fake_outputs
from local.resource import Resource


class Stack:
    """The resources and exports that the program declares for a stack of this name and settings."""

    def __init__(self, name, config):
        values = record.configuration(name, config)
        declared = record.run_program(name, values, fake_outputs)
        self.name, self.resources, self.exports = name, declared.resources, declared.exports

    def all(self, kind):
        """The resources of a kind, such as `Table`."""
        return [each for each in self.resources if each.kind.endswith(f":{kind}")]

    def one(self, kind):
        """The only resource of a kind. Raises ValueError when there is none or a second one."""
        (found,) = self.all(kind)
        return found

    def inputs(self, kind):
        """The inputs of the only resource of a kind."""
        return self.one(kind).inputs

    def policies(self):
        """Every policy document of the stack, by the name of its resource."""
        return {
            each.name: json.loads(document)
            for each in self.resources
            for document in (each.inputs.get("policy"), each.inputs.get("assumeRolePolicy"))
            if document
        }


def rebuild(resource: Resource):
    """Build the resource's inputs from the SDK's own types, which the mocks do not check.

    Raises TypeError for an unknown key, a missing key and a value of a wrong type, ValueError for a
    value that is not in an enumeration.
    """
    if resource.kind.startswith("pulumi:providers:"):
        return None  # a provider's inputs travel as text
    package, module, name = resource.kind.split(":")
    folder = module.split("/")[0]
    sdk = importlib.import_module(f"pulumi_{package}.{'lambda_' if folder == 'lambda' else folder}")
    # Where a nested type has taken the name, a resource's own arguments are the longer one.
    own = getattr(sdk, f"{name}InitArgs", None) or getattr(sdk, f"{name}Args")
    return _build(own, resource.inputs, resource.name)


def _build(kind, value, at):
    kind = _types.unwrap_type(kind)
    inner = get_args(kind)
    match get_origin(kind):
        case typing.Union:
            words = [each for each in inner if isinstance(each, enum.EnumMeta)]
            built = _build((words or inner)[0], value, at)  # plain text would be any word
        case abc.Sequence:
            built = [_build(inner[0], each, at) for each in _of(list, value, at)]
        case abc.Mapping:
            pairs = _of(dict, value, at).items()
            built = {key: _build(inner[1], each, at) for key, each in pairs}
        case _:
            built = _build_one(kind, value, at)
    return built


def _build_one(kind, value, at):
    if _types.is_input_type(kind):
        return _build_object(kind, value, at)
    if issubclass(kind, enum.Enum):
        return kind(value)
    if kind is pulumi.Archive:
        return pulumi.FileArchive(_of(dict, value, at)["archive"])
    return _of((int, float) if kind is float else kind, value, at)


def _build_object(kind, value, at):
    types = _types.input_type_types(kind)
    names = {theirs: ours for ours, theirs in _types.input_type_py_to_pulumi_names(kind).items()}
    if unknown := _of(dict, value, at).keys() - types.keys():
        raise TypeError(f"{at} knows no {', '.join(sorted(unknown))}")
    return kind(
        **{
            names[key]: _build(types[key], item, f"{at}.{key}")
            for key, item in value.items()
            if item is not None
        }
    )


def _of(kind, value, at):
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{at} must be {kind}, not {value!r}")
    return value
