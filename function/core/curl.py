"""Lines for curl that work when pasted: everything in them is quoted for the shell or for curl."""

import shlex
from collections.abc import Iterable

SETTINGS = "globoff\nfail\nsilent\nshow-error\ncreate-dirs\n"


def local_name(name: str) -> str:
    """The file's last segment, as an argument that no program takes for an option."""
    last = name.rpartition("/")[2]
    return shlex.quote(f"./{last}" if last.startswith("-") else last)


def get(name: str, url: str) -> str:
    """One GET."""
    return f"curl -fgS -o {local_name(name)} {shlex.quote(url)}"


def configuration(files: Iterable[tuple[str, str]]) -> str:
    """What `curl -K` reads to fetch files, each given by its name and its address."""
    return SETTINGS + "".join(config(name, url) for name, url in files)


def config(name: str, url: str) -> str:
    """One file for `curl -K`: its own name under the folder where curl runs, and nowhere else.

    No name has a backslash, a control character, `..` or a leading slash; `./` keeps one that is
    `-` or begins with it from being an option.
    """
    quoted = f"./{name}".replace("\\", "\\\\").replace('"', '\\"')
    return f'url = "{url}"\noutput = "{quoted}"\n'
