"""Commands and configuration of curl; every value is quoted for the shell or for curl.

A stranger may have named the file, and a person may run curl in their home directory.
"""

import shlex
from collections.abc import Iterable
from typing import Literal

# `no-clobber` (curl 7.83) has curl write to another name where the file exists.
SETTINGS = "globoff\nfail\nsilent\nshow-error\ncreate-dirs\nno-clobber\n"
Program = Literal["curl", "wget"]
PLACE = "THE-PASSWORD"  # where a person writes a password
# In a quoted value of a configuration (curl's manual, `-K`). `core.names` allows no line break.
ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r"})


def local_name(name: str) -> str:
    """The last segment of a name as a shell argument that no program takes for an option.

    zsh reads `=name` as the path of a command.
    """
    last = name.rpartition("/")[2]
    return shlex.quote(f"./{last}" if last.startswith(("-", "=")) else last)


def get(name: str, url: str) -> str:
    """The command that downloads a URL into a file named after `name`, no hidden one."""
    return f"curl -fgS -o {local_name(visible(name))} {shlex.quote(url)}"


def access_token(address: str, program: Program) -> str:
    """The part of a line that exchanges the password, which a person writes there, for a token."""
    url = shlex.quote(f"{address}/unlock")
    if program == "wget":  # which encodes no form
        body = f"""--post-data='{{"password": "{PLACE}"}}'"""
        ask = f"wget -qO- --header='content-type: application/json' {body} {url}"
    else:
        ask = f"curl -fgsS --data-urlencode 'password={PLACE}' {url}"
    return f"""$({ask} | sed 's/.*"grant": *"//; s/".*//')"""


def fetch(
    address: str,
    name: str | None,
    query: str = "",
    *,
    has_password: bool = False,
    program: Program = "curl",
) -> str:
    """The line that downloads what a link at `address` shows, and counts it when it runs.

    Its one file, into a file named after `name`, no hidden one; without a name all files of the
    page that `query` names, below one folder and over no file.
    """
    fields = [] if name else ["format=curl"]
    if has_password:
        fields.append(f'"grant={access_token(address, program)}"')
    url = shlex.quote(f"{address}/download{query}")
    file = local_name(visible(name)) if name else ""
    if program == "wget":
        data = "--post-data=" + "'&'".join(fields)
        return f"wget -nc -O {file} {data} {url}" if name else f"wget -qO- {data} {url} | curl -K -"
    data = " ".join(f"-d {field}" for field in fields) or "-d ''"
    return f"curl -fgSL {data} -o {file} {url}" if name else f"curl -fgsS {data} {url} | curl -K -"


def send(address: str, *, has_password: bool, with_sender: bool) -> str:
    """The line that sends the file `report.pdf` to the file request at `address`."""
    fields = ["--data-urlencode file_name=report.pdf", '-d "size=$(wc -c <report.pdf)"']
    if with_sender:
        fields.append("--data-urlencode 'sender=YOUR-NAME'")
    if has_password:
        fields.append(f'-d "grant={access_token(address, "curl")}"')
    url = shlex.quote(f"{address}/uploads")
    return f"curl -fgsS -H 'accept: text/plain' {' '.join(fields)} {url} | sh"


def open_locked(address: str) -> str:
    """The line that opens a link or file request that has a password."""
    header = f'"x-link-grant: {access_token(address, "curl")}"'
    return f"curl -gsS -H {header} {shlex.quote(address)}"


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
