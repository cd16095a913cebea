"""What a cold start must not do."""

import subprocess
import sys

import pytest

from local import ROOT

HEAVY = ["aws_lambda_powertools.event_handler.openapi.models", "types_boto3_s3", "moto"]
NEEDED = "aws_lambda_powertools.event_handler.api_gateway"


def imported(program: str) -> str:
    """What a fresh interpreter prints after it has imported the handler."""
    command = [sys.executable, "-c", f"import function.app, gc, sys; print(({program}))"]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


@pytest.mark.parametrize("module", HEAVY)
def test_what_few_requests_need_is_not_imported_for_all(module):
    """The models of OpenAPI alone are a quarter of a cold start."""
    assert imported(f"{NEEDED!r} in sys.modules, {module!r} in sys.modules").strip() == (
        "(True, False)"
    )


def test_garbage_is_collected_again_after_the_imports():
    """Off for ever it would leak; and what the imports made is not looked at again."""
    assert imported("gc.isenabled(), gc.get_freeze_count() > 10_000").strip() == "(True, True)"
