"""What the problems mean and what to do about them, from the classes that raise them."""

import inspect
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any

import function
from function.core.errors import Problem

EXAMPLE_ID = "JKJaXmPLvHcESHA="


@cache
def problems() -> dict[str, type[Problem]]:
    """The class of each slug, in the order of status and slug."""
    for package in iter_modules(function.__path__):
        name = f"function.{package.name}.errors"
        if package.ispkg and find_spec(name):
            import_module(name)
    found = sorted(_kinds(Problem), key=lambda kind: (kind.status, kind.slug))
    return {kind.slug: kind for kind in found}


def meaning(kind: type[Problem]) -> str:
    """When a problem is answered: the first paragraph of its docstring."""
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())


def advice(kind: type[Problem]) -> str:
    """What to do about a problem, whatever the request was."""
    return kind.advice or kind.default


def problem_examples() -> dict[str, Any]:
    """An example of each problem, as components of the document."""
    return {
        slug: {
            "summary": kind.title,
            "value": {
                "type": f"/problems/{slug}",
                "title": kind.title,
                "status": kind.status,
                "detail": kind.default or f"{kind.title}.",
                "request_id": EXAMPLE_ID,
            },
        }
        for slug, kind in problems().items()
    }


def _kinds(kind: type[Problem]) -> Iterator[type[Problem]]:
    """The classes below this one that have a slug of their own."""
    for each in kind.__subclasses__():
        if "slug" in vars(each):
            yield each
        yield from _kinds(each)
