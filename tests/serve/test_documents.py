"""The documents' walk-throughs on a served stack, where signed addresses lead somewhere."""

from pathlib import Path

import pytest

from bench.served import served
from tests.support.doc_runner import masked, steps, walk, walk_throughs

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_all_run_one_after_the_other_on_one_server(shell: str, tmp_path: Path) -> None:
    """As they stand, on a server that is fresh for the first; each prints what it shows."""
    with served() as stack:
        for path in walk_throughs():
            folder = tmp_path / path.stem
            folder.mkdir()
            found = steps(path)
            printed = walk(found, stack.url, folder, shell, state=str(stack.folder))
            assert printed == [masked(step.said) for step in found], path.name
