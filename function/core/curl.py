"""Commands and configuration of curl; every value is quoted for the shell or for curl.

A stranger may have named the file, and a person may run curl in their home directory.
"""

import shlex
from collections.abc import Iterable

# `no-clobber` (curl 7.83) has curl write to another name where the file exists.
SETTINGS = "globoff\nfail\nsilent\nshow-error\ncreate-dirs\nno-clobber\n"
# In a quoted value of a configuration (curl's manual, `-K`). `core.names` allows no line break.
ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r"})


def local_name(name: str) -> str:
    """The last segment of a name as a shell argument that no program takes for an option."""
    last = name.rpartition("/")[2]
    return shlex.quote(f"./{last}" if last.startswith("-") else last)


def get(name: str, url: str) -> str:
    """The command that downloads a URL into a file named after `name`, no hidden one."""
    return f"curl -fgS -o {local_name(visible(name))} {shlex.quote(url)}"


def visible(path: str, *, dotfiles: bool = False) -> str:
    """A path whose segments begin with no dot: `.ssh/a` becomes `_.ssh/a`.

    Programs read hidden files without being asked to. With `dotfiles` only `.` and `..` are
    changed, which no name has.
    """

    def segment(text: str) -> str:
        is_kept = dotfiles and text.strip(".")
        return f"_{text}" if text.startswith(".") and not is_kept else text

    return "/".join(map(segment, path.split("/")))


def configuration(
    files: Iterable[tuple[str, str]], folder: str = "", *, dotfiles: bool = False
) -> str:
    """The configuration by which `curl -K` downloads `files`, pairs of a name and a URL.

    curl writes them below `folder`, or as their names say, where it runs, and writes over no file.
    """
    below = f"{visible(folder)}/" if folder else ""
    files = [(below + visible(name, dotfiles=dotfiles), url) for name, url in files]
    return SETTINGS + "".join(config(path, url) for path, url in files)


def config(path: str, url: str) -> str:
    """The lines for one file; `./` keeps a name that begins with `-` from being an option."""
    quoted = f"./{path}".translate(ESCAPES)
    return f'url = "{url}"\noutput = "{quoted}"\n'
