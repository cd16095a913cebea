"""Programs of Node.js that `npm install` has put into tests/clients."""

import os
import subprocess
from pathlib import Path

from local import ROOT

CLIENTS = ROOT / "tests" / "clients"
MODULES = CLIENTS / "node_modules"
SECONDS = 300


def run(*command: str | Path, folder: Path = CLIENTS) -> str:
    """What a program prints; with nothing of this machine's proxies, which know no loopback."""
    assert MODULES.exists(), f"npm install --no-package-lock in {CLIENTS} comes first"
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": f"{MODULES / '.bin'}:{os.environ['PATH']}", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
