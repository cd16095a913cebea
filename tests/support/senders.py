"""Uploaders by file request, who have no account; `transfers` takes them as clients."""

from typing import Any

from tests.support.client import Answer, Client


class Sender(Client):
    """A client whose paths are below the URL of a file request."""

    def __init__(self, url: str, address: str = "203.0.113.7") -> None:
        super().__init__(None, address)
        self.below = url[url.index("/r/") :]

    def open(self, grant: str) -> Answer:
        """Opens the file request with an access token."""
        return self.send("GET", "", headers={"x-link-grant": grant})

    def send(self, method: str, path: str, **sent: Any) -> Answer:
        return super().send(method, self.below + path, **sent)


def ask(owner: Client, /, **fields: Any) -> tuple[str, Sender]:
    """Creates a file request for the folder `in/`; its id, and an uploader with its URL."""
    answer = owner.post("/requests", **{"title": "Slides", "folder": "in/", **fields})
    assert answer.status == 201, answer.text
    return answer.json()["id"], Sender(answer.json()["url"])


def change(owner: Client, request_id: str, /, **fields: Any) -> Answer:
    """Changes a file request."""
    return owner.send("PATCH", f"/requests/{request_id}", json_=fields)


def counts(owner: Client, request_id: str) -> tuple[int, int]:
    """The number of files and bytes that a file request counts."""
    answer = owner.get(f"/requests/{request_id}")
    assert answer.status == 200, answer.text
    return answer.json()["files"], answer.json()["bytes"]
