"""A declared stack to ask questions of, and the SDK's own argument types, which know every key."""

import enum
import importlib
import json
import typing
from collections import abc
from typing import get_args, get_origin

import pulumi
from pulumi import _types

from local import declare, imagine
from local.declare import Resource


class Stack:
    """A declared stack, and questions to it."""

    def __init__(self, name, config):
        values = declare.configuration(name, config)
        declared = declare.run(name, values, imagine.made)
        self.name, self.resources, self.exports = name, declared.resources, declared.exports

    def all(self, kind):
        return [each for each in self.resources if each.kind.endswith(f":{kind}")]

    def one(self, kind):
        (found,) = self.all(kind)
        return found

    def inputs(self, kind):
        return self.one(kind).inputs

    def policies(self):
        """Every policy document of the stack, by the name of what carries it."""
        return {
            each.name: json.loads(document)
            for each in self.resources
            for document in (each.inputs.get("policy"), each.inputs.get("assumeRolePolicy"))
            if document
        }


def rebuild(resource: Resource):
    """The resource's inputs as the SDK's own type.

    Raises TypeError for a key that it does not know, for one that is missing and for a wrong kind
    of value, ValueError for a word that is not in an enumeration.
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
