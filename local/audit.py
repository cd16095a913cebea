"""`make audit`: known vulnerabilities of every package that is installed anywhere.

pip-audit asks PyPI's advisories about each pin of the locks. It leaves out a package that the index
does not know, and says so in passing; here that is a failure, as is an answer about fewer packages
than there are. So success means that each package was looked up.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from local import ROOT

LOCKS = ("requirements.txt", "local/emulator/requirements.txt")
# For which systems a package is: pip-audit leaves out those of others without a word.
MARKER = re.compile(r" ;[^\\\n]*(?= )")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def audit(lock: Path) -> str:
    """What is wrong with the packages of a lock, as text; "" where nothing is."""
    command = [sys.executable, "-m", "pip_audit", "--strict", "--disable-pip", "--require-hashes"]
    command += ["--progress-spinner=off", "--format=json", "--requirement"]
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder, lock.name)
        pins.write_text(MARKER.sub("", lock.read_text()))
        run = subprocess.run([*command, str(pins)], capture_output=True, text=True, check=False)
    try:
        answers = json.loads(run.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return f"nothing could be audited: {_last_line(run.stderr)}"
    known = [f"{each['name']} {found['id']}" for each in answers for found in each.get("vulns", [])]
    if known:
        return ", ".join(known)
    audited = {_normal(each["name"]) for each in answers if "vulns" in each}
    missing = {_normal(name) for name in PIN.findall(lock.read_text())} - audited
    return f"not looked up: {', '.join(sorted(missing))}" if missing or not audited else ""


def main() -> None:
    """Audit all locks. Exits with what is wrong."""
    wrong = [f"{lock}: {text}" for lock in LOCKS if (text := audit(ROOT / lock))]
    if wrong:
        sys.exit("\n".join(wrong))
    print("No known vulnerability in", " and ".join(LOCKS))


def _normal(name: str) -> str:
    """The name of a package as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2] or "pip-audit said nothing"


if __name__ == "__main__":
    main()
