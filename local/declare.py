"""Runs `__main__.py` under mocks and records what it declares, as plain data.

Imports Pulumi's runtime and `bundle`; creates nothing. `local.deploy` gives it a maker that does.
"""

import asyncio
import json
import runpy
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
import pulumi_aws
import yaml  # type: ignore[import-untyped]  # comes with Pulumi, its types do not
from pulumi.runtime import mocks, rpc, set_all_config
from pulumi.runtime import resource as registering
from pulumi.runtime.proto.source_pb2 import StackTrace
from pulumi.runtime.settings import SETTINGS, set_root_resource
from pulumi.runtime.stack import run_in_stack

import bundle
from local import imagine

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "__main__.py"
STACK_KIND = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Resource:
    """One declared resource: its kind and logical name, its inputs as plain data, its options."""

    kind: str
    name: str
    inputs: dict[str, Any]
    protect: bool = False
    provider: str = ""
    depends_on: tuple[str, ...] = ()

    @property
    def physical(self) -> str:
        """Its name where it runs: what it asks for, else its logical name, never a random one."""
        return str(self.inputs.get("name") or self.inputs.get("bucket") or self.name)


# What makes a resource: takes its declaration, answers its id and what the provider adds to it.
Maker = Callable[[Resource], tuple[str, dict[str, Any]]]


@dataclass
class Declared:
    """What a program declared, by kind and name, and what it exported."""

    resources: list[Resource] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)


def declare(stack: str = "dev", config: Mapping[str, str] | None = None) -> list[Resource]:
    """The resources that the program declares for a stack, made nowhere.

    Raises what the program raises, and LookupError for a kind of resource nobody here knows.
    """
    return run(stack, configuration(stack, config), imagine.made).resources


def run(stack: str, config: Mapping[str, str], make: Maker) -> Declared:
    """Run the program with a stack's whole configuration, each resource made by `make` in turn."""
    loop = asyncio.new_event_loop()
    # One thread, so that resources are made in the order of the program; with a loop of its own,
    # because the mocks would otherwise make one and leave it open.
    try:
        with ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(loop,)) as thread:
            return asyncio.run(_run(stack, config, make, thread))
    finally:
        loop.close()


async def _run(
    stack: str, config: Mapping[str, str], make: Maker, thread: ThreadPoolExecutor
) -> Declared:
    asyncio.get_running_loop().set_default_executor(thread)
    declared = Declared()
    _load_sdk()
    set_all_config(dict(config))
    recorder = _Recorder(declared, make)
    mocks.set_mocks(recorder.mocks, project=_project()["name"], stack=stack, monitor=recorder)
    SETTINGS.outputs = set()  # a run that failed leaves its own behind, of a loop that is closed
    set_root_resource(None)  # type: ignore[arg-type]  # the mocks' stack has exported already
    # The archive's path is what is declared; nobody uploads its bytes from here.
    # For each resource the SDK would tell an engine from where it was declared; here is none.
    with (
        mock.patch.object(bundle, "build", return_value=bundle.ARTIFACT),
        mock.patch.object(registering, "_get_stack_trace", StackTrace, create=True),
    ):
        try:
            await run_in_stack(_program)
        except BaseException:
            # The first error is the one raised; what fell with it would be logged much later.
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)
            raise
    declared.resources.sort(key=lambda each: (each.kind, each.name))
    return declared


def _program() -> None:
    runpy.run_path(str(PROGRAM))


def _load_sdk() -> None:
    """Import what warns of its own old classes, so that any warning left is about ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        _ = pulumi_aws.s3.Bucket, pulumi_aws.lambda_.Function  # a look inside loads a lazy module


def configuration(stack: str, config: Mapping[str, str] | None = None) -> dict[str, str]:
    """A stack's configuration as the program reads it.

    The defaults of Pulumi.yaml, over them Pulumi.<stack>.yaml, over both `config`, whose keys need
    no `satchel:` before them. Raises KeyError for a key that nobody declared.
    """
    project = _project()
    prefix = project["name"] + ":"
    values = {
        prefix + key: about["default"]
        for key, about in project["config"].items()
        if "default" in about
    }
    path = ROOT / f"Pulumi.{stack}.yaml"
    own = _read(path.read_text())["config"] if path.exists() else {}
    given = {key if ":" in key else prefix + key: value for key, value in (config or {}).items()}
    for key in own | given:
        if key.startswith(prefix) and key.removeprefix(prefix) not in project["config"]:
            raise KeyError(f"{key} is no key of Pulumi.yaml")
    merged = values | own | given
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in merged.items()}


def _project() -> dict[str, Any]:
    return _read((ROOT / "Pulumi.yaml").read_text())


@lru_cache(10)
def _read(text: str) -> dict[str, Any]:
    """What a text in YAML says, for those who change nothing of it: to read it takes a while."""
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
        return int(value)  # the wire between program and engine knows only one kind of number
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{value!r} is not plain data")


class _Recorder(mocks.MockMonitor):
    """The engine's side of the conversation: notes each resource whole, its options included."""

    def __init__(self, declared: Declared, make: Maker) -> None:
        super().__init__(_Maker(self))
        self.declared, self.make = declared, make
        self.request: Any = None

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the protocol's name
        self.request = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if request.urn.split("::")[2] == STACK_KIND:
            self.declared.exports.update(_plain(rpc.deserialize_properties(request.outputs)))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def record(self, args: mocks.MockResourceArgs) -> Resource:
        """The resource now being registered; the same kind and name twice is an error."""
        resource = Resource(
            kind=args.typ,
            name=args.name,
            inputs=_plain(args.inputs),
            protect=self.request.protect,
            provider=self.request.provider,
            depends_on=tuple(sorted({urn.split("::")[3] for urn in self.request.dependencies})),
        )
        if any((r.kind, r.name) == (args.typ, args.name) for r in self.declared.resources):
            raise ValueError(f"{args.typ} {args.name} is declared twice")
        self.declared.resources.append(resource)
        return resource


class _Maker(mocks.Mocks):
    """The provider's side: hands each resource to the maker and refuses every call."""

    def __init__(self, recorder: _Recorder) -> None:
        self.recorder = recorder

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if not args.custom:
            return "", {}  # a component: a name for its children
        resource = self.recorder.record(args)
        identity, added = self.recorder.make(resource)
        return identity, {**args.inputs, **added}

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise LookupError(f"the program called {args.token}, which nobody here can answer")
