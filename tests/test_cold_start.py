"""What a cold start may import, and how it leaves the garbage collector."""

import json
import subprocess
import sys

import pytest

from local import ROOT

# Third-party packages. botocore imports certifi where it is installed; the artifact has none.
PACKAGES = {
    "annotated_types", "aws_lambda_powertools", "botocore", "certifi", "dateutil", "function",
    "jmespath", "pydantic", "pydantic_core", "six", "typing_extensions", "typing_inspection",
    "urllib3",
}  # fmt: skip
# Modules of these and of the standard library that a few requests need, or none.
HEAVY = [
    "aws_lambda_powertools.event_handler.openapi.models",
    "aws_lambda_powertools.event_handler.openapi.swagger_ui",
    "multiprocessing",
    "xml.dom",
]


def after_import(expression):
    """The value of an expression in a new interpreter that has imported the handler."""
    program = f"import function.app, gc, json, sys; print(json.dumps({expression}))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def modules():
    """The modules that a cold start imports."""
    return set(after_import("list(sys.modules)"))


def test_a_cold_start_imports_few_packages(modules):
    """A package that a few requests need is imported at the first of them."""
    named = {module.partition(".")[0] for module in modules if not module.startswith("_")}
    assert named - sys.stdlib_module_names - PACKAGES == set()
    assert {"aws_lambda_powertools", "botocore", "function", "pydantic"} <= named


@pytest.mark.parametrize("module", HEAVY)
def test_a_cold_start_imports_no_heavy_module(modules, module):
    """The models of OpenAPI alone would be a quarter of a cold start."""
    assert module not in modules


def test_garbage_is_collected_again_after_the_imports():
    """The collector runs, and skips the objects that the imports made."""
    assert after_import("[gc.isenabled(), gc.get_freeze_count() > 10_000]") == [True, True]
