"""People without an account who send files by a request: `tests.transfers` works with them too."""

from typing import Any

from tests.support.client import Answer, Client


class Sender(Client):
    """Somebody who was given a request's address, and says paths below it."""

    def __init__(self, url: str, address: str = "203.0.113.7") -> None:
        super().__init__(None, address)
        self.below = url[url.index("/r/") :]

    def send(self, method: str, path: str, **sent: Any) -> Answer:
        return super().send(method, self.below + path, **sent)


def ask(owner: Client, /, **fields: Any) -> tuple[str, Sender]:
    """A request for files into `in/`: its id, and somebody who has its address."""
    answer = owner.post("/requests", **{"title": "Slides", "folder": "in/", **fields})
    assert answer.status == 201, answer.text
    return answer.json()["id"], Sender(answer.json()["url"])


def change(owner: Client, request_id: str, /, **fields: Any) -> Answer:
    return owner.send("PATCH", f"/requests/{request_id}", json_=fields)


def counts(owner: Client, request_id: str) -> tuple[int, int]:
    """The files and bytes that a request holds."""
    answer = owner.get(f"/requests/{request_id}")
    assert answer.status == 200, answer.text
    return answer.json()["files"], answer.json()["bytes"]
