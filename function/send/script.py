"""The shell script that sends a file of any size, and the line that runs it.

The script is `send.sh` with the values of one file. It has its caller's credentials, and the link's
password, in here-documents: no process has them among its arguments.
"""

import json
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

from function.core.curl import local_name
from function.core.models import HttpRequest
from function.links.models import LinkRequest
from function.send.models import SendFields

VALUES = "# VALUES\n"
CREDENTIALS = ("x-session-token", "authorization")


class Script(NamedTuple):
    """What a script does: it sends a file, or goes on with its `upload`, and creates the link.

    `base` is the address of the API; `credentials` are lines of a header. With the Idempotency-Key
    `key` a request whose answer was lost is repeated without a second effect.
    """

    base: str
    credentials: str
    key: str
    fields: SendFields
    link: LinkRequest
    upload: str | None

    def text(self) -> str:
        """The script. A part of it is a syntax error, because all of it stands in parentheses."""
        new = self.fields.spec().model_dump(exclude_defaults=True, exclude={"size"})
        link = self.link.model_dump(exclude={"items", "password"}, exclude_unset=True)
        if self.link.password:
            link["password"] = self.link.password.get_secret_value()
        size = "" if self.fields.size is None else self.fields.size
        options = json.dumps(link, separators=(",", ":"))
        values = [
            f"api={shlex.quote(self.base)} key={self.key} id={self.upload or ''} expected={size}",
            f"file={local_name(self.fields.file_name)}; [ $# -eq 0 ] || file=$1",
            _document("caller", self.credentials),
            _document("new", json.dumps(new, separators=(",", ":")).removesuffix("}")),
            _document("link", f",{options[1:]}" if link else "}"),
        ]
        return _template().replace(VALUES, "\n".join(values) + "\n")


def script_line(base: str, name: str, query: Mapping[str, str]) -> str:
    """The command that sends the local file of that name with the script, whatever its size.

    The session token is in the header field of the shell's `$ME`.
    """
    path, fields = quote(name), {**query}
    if "?" in name:  # API Gateway would cut the path there
        path, fields["file_name"] = "", name
    address = f"{base}/send/{path}" + (f"?{urlencode(fields, quote_via=quote)}" if fields else "")
    return f'curl -fsSH "$ME" {shlex.quote(address)} | sh'


def credentials_of(request: HttpRequest) -> str:
    """The lines of a request's header that prove its caller."""
    found = [name for name in CREDENTIALS if name in request.headers]
    return "\n".join(f"{name}: {request.headers[name]}" for name in found)


def _document(name: str, text: str) -> str:
    """The command that writes a file of the script; no line of the text is END."""
    return f"cat >\"$tmp/{name}\" <<'END'\n{text}\nEND"


@cache
def _template() -> str:
    return Path(__file__).with_name("send.sh").read_text("utf-8")
