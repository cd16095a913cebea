"""Patches of packages in tests. Each names its release, and fails when a name it uses is gone."""

import dis
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock


@dataclass(frozen=True)
class Patch:
    """The replacement of one attribute of a class or module, written for one release.

    `make` takes the original, and arguments of `PatchRegister.apply`; it returns the replacement.
    `uses` are other names that the replacement needs, by class. `adds` says that the attribute
    does not exist in that release.
    """

    package: str
    release: str
    owner: Any
    name: str
    make: Callable[..., Any]
    uses: Mapping[Any, list[str]]
    adds: bool
    original: Any

    def names(self) -> list[tuple[Any, str]]:
        """Each class or module and name that must exist."""
        replaced = [] if self.adds else [(self.owner, self.name)]
        return [*replaced, *((owner, name) for owner, names in self.uses.items() for name in names)]

    def check(self) -> None:
        """Raises RuntimeError for each name that is gone, or that exists and should be added."""
        missing = [path(*each) for each in self.names() if not exists(*each)]
        if missing:
            raise RuntimeError(
                f"a patch for {self.package} {self.release} needs {', '.join(missing)}"
            )
        if self.adds and self.name in vars(self.owner):
            added = path(self.owner, self.name)
            raise RuntimeError(f"a patch for {self.package} {self.release} adds {added}: it exists")


def exists(owner: Any, name: str) -> bool:
    """Whether a class or module itself defines a name, or the `__init__` of the class sets it."""
    if name in vars(owner):
        return True
    if not isinstance(owner, type) or "__init__" not in vars(owner):
        return False
    instructions = dis.get_instructions(owner.__init__)
    return any(each.opname == "STORE_ATTR" and each.argval == name for each in instructions)


def path(owner: Any, name: str) -> str:
    """A name with its class and module."""
    module = getattr(owner, "__module__", None)
    return f"{module}.{owner.__name__}.{name}" if module else f"{owner.__name__}.{name}"


class PatchRegister:
    """The patches of one package, by the names of their functions."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.patches: dict[str, Patch] = {}

    def patch(
        self,
        release: str,
        owner: Any,
        name: str,
        uses: Mapping[Any, str] | None = None,
        *,
        adds: bool = False,
    ) -> Callable[[Callable[..., Any]], Patch]:
        """Declares a patch. The names of `uses` are separated by spaces."""
        others = {each: names.split() for each, names in (uses or {}).items()}

        def declare(make: Callable[..., Any]) -> Patch:
            original = vars(owner).get(name)
            declared = Patch(self.package, release, owner, name, make, others, adds, original)
            self.patches[make.__name__] = declared
            return declared

        return declare

    @contextmanager
    def apply(self, **arguments: Any) -> Iterator[None]:
        """Checks, then applies all patches. `arguments` are by the names of patches."""
        for patch in self.patches.values():
            patch.check()
        with ExitStack() as stack:
            for function, patch in self.patches.items():
                more = (arguments[function],) if function in arguments else ()
                replacement = patch.make(patch.original, *more)
                stack.enter_context(
                    mock.patch.object(patch.owner, patch.name, replacement, create=patch.adds)
                )
            yield
