"""Lines for curl that work when pasted: everything in them is quoted for the shell or for curl."""

import shlex
from collections.abc import Iterable, Mapping

from function.records import UploadRow
from function.services.plans import parts_in

SETTINGS = "globoff\nfail\nsilent\nshow-error\ncreate-dirs\n"


def local_name(name: str) -> str:
    """The file's last segment, as an argument that no program takes for an option."""
    last = name.rpartition("/")[2]
    return shlex.quote(f"./{last}" if last.startswith("-") else last)


def put(name: str, url: str, headers: Mapping[str, str]) -> str:
    """One PUT. Neither the file's name nor the address is a pattern, hence -g."""
    said = " ".join(f"-H {shlex.quote(f'{key}: {value}')}" for key, value in headers.items())
    return f"curl -fgS -T {local_name(name)} {said} {shlex.quote(url)}"


def get(name: str, url: str) -> str:
    """One GET."""
    return f"curl -fgS -o {local_name(name)} {shlex.quote(url)}"


def multipart(row: UploadRow, base: str) -> str:
    """Every part in its turn, and the completion; the token is the shell's $TOKEN.

    Who sends by a request needs none: it is in the address.

    What asks the function is tried again after a 503, for as long as Retry-After says: S3 may take
    longer to put many parts together than the function has.
    """
    upload = shlex.quote(f"{base}/uploads/{row.name}")
    name = local_name(row.file_name)
    who = "" if row.request else '-H "x-session-token: $TOKEN" '
    sign = f"""curl -fsS --retry 5 {who}--json "{{\\"part_numbers\\":[$n]}}" {upload}/parts"""
    url = """sed 's/.*"url": *"\\([^"]*\\)".*/\\1/'"""
    cut = f"dd if={name} bs={row.part_size} skip=$((n-1)) count=1 status=none"
    send = """curl -fgsS -o /dev/null -X PUT -H content-type: --data-binary @- "$url\""""
    each = f"url=$({sign} | {url}) && {cut} | {send} || exit 1"
    whole = f"curl -fsS --retry 5 {who}--json '{{}}' {upload}/complete"
    return f"(for n in $(seq {parts_in(row)}); do {each}; done; {whole})"


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
