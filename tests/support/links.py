"""Links: creating, opening and changing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.support.client import Answer, Client

JSON = {"accept": "application/json"}
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Made:
    """A link: its id and view for the owner, and the path that opens it."""

    id: str
    path: str
    view: dict[str, Any]

    def open(self, who: Client | None = None, grant: str | None = None, **query: Any) -> Answer:
        """Opens it."""
        headers = {"x-link-grant": grant} if grant else {}
        return (who or Client()).send("GET", self.path, query=query, headers=headers)

    def page(self, cookies: Sequence[str] = (), **query: Any) -> Answer:
        """Opens it as a browser does that was given these cookies."""
        return Client().send("GET", self.path, query=query, headers=HTML | sent_back(cookies))

    def unlocked_page(self, password: str, **query: Any) -> Answer:
        """The page after the form of the password."""
        answer = self.form("/unlock", password=password)
        assert (answer.status, answer.headers["location"]) == (303, self.path)
        return self.page(answer.cookies, **query)

    def names(self, **query: Any) -> list[str]:
        """The names of the files that it lists."""
        answer = self.open(**query)
        assert answer.status == 200, answer.text
        return [item["file_name"] for item in answer.json()["items"]]

    def unlock(self, password: str, address: str = "192.0.2.1") -> Answer:
        """Sends a password."""
        return Client(address=address).post(f"{self.path}/unlock", password=password)

    def download(self, file_name: str | None = None, **fields: Any) -> Answer:
        """Requests a download, as a program that wants JSON."""
        who = fields.pop("who", None) or Client()
        body = fields | ({"file_name": file_name} if file_name else {})
        return who.send("POST", f"{self.path}/download", json_=body, headers=JSON)

    def form(self, path: str, **fields: str) -> Answer:
        """Posts a form, as a browser does."""
        headers = HTML | {"content-type": FORM}
        body = urlencode(fields).encode()
        return Client().send("POST", self.path + path, body=body, headers=headers)

    def downloads(self, owner: Client) -> int:
        """The number of downloads that the owner sees."""
        count: int = owner.get(f"/links/{self.id}").json()["downloads"]
        return count


def sent_back(cookies: Sequence[str]) -> dict[str, str]:
    """The header with which a browser sends cookies back."""
    pairs = "; ".join(each.partition(";")[0] for each in cookies)
    return {"cookie": pairs} if pairs else {}


def make(owner: Client, *items: str, **fields: Any) -> Made:
    """Creates a link."""
    answer = owner.post("/links", items=list(items), **fields)
    assert answer.status == 201, answer.text
    view = answer.json()
    return Made(view["id"], "/s/" + view["url"].rpartition("/")[2], view)


def change(owner: Client, link: Made, **fields: Any) -> Answer:
    """Changes a link."""
    return owner.send("PATCH", f"/links/{link.id}", json_=fields)


def revoke(owner: Client, link: Made) -> Answer:
    """Revokes a link."""
    return owner.delete(f"/links/{link.id}")
