"""Commands and configuration of curl; every value is quoted for the shell or for curl."""

import shlex
from collections.abc import Iterable

SETTINGS = "globoff\nfail\nsilent\nshow-error\ncreate-dirs\n"


def local_name(name: str) -> str:
    """The last segment of a name as a shell argument that no program takes for an option."""
    last = name.rpartition("/")[2]
    return shlex.quote(f"./{last}" if last.startswith("-") else last)


def get(name: str, url: str) -> str:
    """The command that downloads a URL into a file named after `name`."""
    return f"curl -fgS -o {local_name(name)} {shlex.quote(url)}"


def configuration(files: Iterable[tuple[str, str]]) -> str:
    """The configuration by which `curl -K` downloads `files`, pairs of a name and a URL."""
    return SETTINGS + "".join(config(name, url) for name, url in files)


def config(name: str, url: str) -> str:
    """The lines for one file, which curl writes below the folder where it runs.

    Names hold no backslash, control character, `..` or leading slash (`core.names`); `./` keeps a
    name that begins with `-` from being an option.
    """
    quoted = f"./{name}".replace("\\", "\\\\").replace('"', '\\"')
    return f'url = "{url}"\noutput = "{quoted}"\n'
