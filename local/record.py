"""Runs `__main__.py` under Pulumi's mocks and records the resources that it declares.

Creates nothing itself: the caller passes a function that creates each resource, or fakes it.
"""

import asyncio
import json
import re
import runpy
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from unittest import mock

import pulumi
import pulumi_aws
import yaml  # type: ignore[import-untyped]  # comes with Pulumi, its types do not
from pulumi.runtime import mocks, rpc, set_all_config
from pulumi.runtime import resource as registration
from pulumi.runtime.proto.source_pb2 import StackTrace
from pulumi.runtime.settings import SETTINGS, set_root_resource
from pulumi.runtime.stack import run_in_stack

import bundle
from local import ROOT
from local.fake_outputs import fake_outputs
from local.resource import Resource

PROGRAM = ROOT / "__main__.py"
STACK_KIND = "pulumi:pulumi:Stack"

# Creates a resource; returns its id and the outputs that the provider adds to its inputs.
Create = Callable[[Resource], tuple[str, dict[str, Any]]]


@dataclass
class Declaration:
    """The resources that a program declares, by kind and name, and its stack outputs."""

    resources: list[Resource] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)


def record_resources(stack: str = "dev", config: Mapping[str, Any] | None = None) -> list[Resource]:
    """The resources that the program declares for a stack, with fake outputs.

    Raises the errors of the program, and LookupError for a kind without fake outputs.
    """
    return run_program(stack, configuration(stack, config), fake_outputs).resources


def run_program(stack: str, config: Mapping[str, str], create: Create) -> Declaration:
    """Run the program with the whole configuration of a stack; `create` gets each resource."""
    loop = asyncio.new_event_loop()
    # One thread creates the resources, in the order of the program. It has an event loop because
    # the mocks would make one and never close it.
    try:
        with ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(loop,)) as thread:
            return asyncio.run(_run(stack, config, create, thread))
    finally:
        loop.close()


async def _run(
    stack: str, config: Mapping[str, str], create: Create, thread: ThreadPoolExecutor
) -> Declaration:
    asyncio.get_running_loop().set_default_executor(thread)
    declaration = Declaration()
    _load_sdk()
    set_all_config(dict(config))
    engine = _Engine(declaration, create)
    mocks.set_mocks(engine.mocks, project=_project()["name"], stack=stack, monitor=engine)
    SETTINGS.outputs = set()  # a failed run leaves outputs of a closed event loop
    set_root_resource(None)  # type: ignore[arg-type]  # `set_mocks` exports a stack of its own
    # The archive is declared by its path; its bytes are not uploaded. The SDK reads the call stack
    # for each resource, for an engine that is not there (pulumi 3.272.0).
    with (
        mock.patch.object(bundle, "build", return_value=bundle.ARTIFACT),
        mock.patch.object(registration, "_get_stack_trace", StackTrace),
    ):
        try:
            await run_in_stack(_run_main)
        except BaseException:
            # Only the first error is raised. The event loop would log the others later.
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)
            raise
    declaration.resources.sort(key=lambda each: (each.kind, each.name))
    return declaration


def _run_main() -> None:
    runpy.run_path(str(PROGRAM))


def _load_sdk() -> None:
    """Import the classes that warn of their own deprecation, so that the rest is about ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        _ = pulumi_aws.s3.Bucket, pulumi_aws.lambda_.Function  # an attribute loads a lazy module


def configuration(stack: str, config: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The configuration of a stack as the program reads it.

    `config` overrides Pulumi.<stack>.yaml, which overrides the defaults of Pulumi.yaml. Its keys
    need no `satchel:` before them. Raises what Pulumi's command line raises before it runs the
    program: KeyError for a key that Pulumi.yaml does not declare, ValueError for a value that is
    not of its declared type.
    """
    project = _project()
    prefix = project["name"] + ":"
    defaults = {
        prefix + key: schema["default"]
        for key, schema in project["config"].items()
        if "default" in schema
    }
    path = ROOT / f"Pulumi.{stack}.yaml"
    of_stack = _parse_yaml(path.read_text())["config"] if path.exists() else {}
    given = {key if ":" in key else prefix + key: value for key, value in (config or {}).items()}
    for key in of_stack | given:
        if key.startswith(prefix) and key.removeprefix(prefix) not in project["config"]:
            raise KeyError(f"{key} is no key of Pulumi.yaml")
    merged = defaults | of_stack | given
    for key, schema in project["config"].items():
        if not _is_of_type(merged.get(prefix + key), schema):
            kind = f"array<{schema['items']['type']}>" if "items" in schema else schema["type"]
            raise ValueError(f"stack {stack}: {key} must be of type {kind}")
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in merged.items()}


def _is_of_type(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether Pulumi's command line accepts a value for a setting; None is a missing one.

    `pulumi config set` stores text, from which it reads numbers and booleans, but no lists: an item
    of a list is set by its path (`ValidateConfigValue` in Pulumi's `sdk/go/common/workspace`).
    """
    is_text = isinstance(value, str)
    match schema["type"]:
        case _ if value is None:
            return True
        case "string":
            return is_text
        case "integer" if is_text:
            return re.fullmatch("[+-]?[0-9]+", value) is not None
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "boolean":
            return value in {"true", "false"} if is_text else isinstance(value, bool)
        case _:
            items = schema.get("items", {})
            return isinstance(value, list) and all(_is_of_type(each, items) for each in value)


def _project() -> dict[str, Any]:
    return _parse_yaml((ROOT / "Pulumi.yaml").read_text())


@lru_cache(10)
def _parse_yaml(text: str) -> dict[str, Any]:
    """The document, parsed once because that is slow. No caller may change it."""
    return yaml.safe_load(text)  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    """A Pulumi input as plain data; an archive is its path."""
    if isinstance(value, pulumi.FileArchive):
        return {"archive": value.path}
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # the engine's protocol has one type of number
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{value!r} is not plain data")


class _Engine(mocks.MockMonitor):
    """In place of Pulumi's engine: records each resource with its options."""

    def __init__(self, declaration: Declaration, create: Create) -> None:
        super().__init__(_Provider(self))
        self.declaration, self.create = declaration, create
        self.request: Any = None

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the protocol's name
        self.request = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if request.urn.split("::")[2] == STACK_KIND:
            self.declaration.exports.update(_plain(rpc.deserialize_properties(request.outputs)))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def record(self, args: mocks.MockResourceArgs) -> Resource:
        """Record the requested resource. Raises ValueError when it is declared twice."""
        resource = Resource(
            kind=args.typ,
            name=args.name,
            inputs=_plain(args.inputs),
            protect=self.request.protect,
            provider=self.request.provider,
            depends_on=tuple(sorted({urn.split("::")[3] for urn in self.request.dependencies})),
        )
        if any((r.kind, r.name) == (args.typ, args.name) for r in self.declaration.resources):
            raise ValueError(f"{args.typ} {args.name} is declared twice")
        self.declaration.resources.append(resource)
        return resource


class _Provider(mocks.Mocks):
    """In place of the AWS provider: creates each resource and refuses every function call."""

    def __init__(self, engine: _Engine) -> None:
        self.engine = engine

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if not args.custom:
            return "", {}  # a component has no outputs of its own
        resource_id, outputs = self.engine.create(self.engine.record(args))
        return resource_id, {**args.inputs, **outputs}

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise LookupError(f"the program called {args.token}, which `make serve` cannot answer")
