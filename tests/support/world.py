"""A world for the requests of the register: accounts, and a thing for each parameter of a path."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from tests.support.api_register import MIB, Route
from tests.support.client import PASSWORD, Answer, Client, join


@dataclass(frozen=True)
class Ids:
    """The ids and tokens of things that exist; in paths they replace the parameters."""

    job_id: str = "0" * 32
    upload_id: str = ""
    part_number: str = "1"
    slug: str = "no-such-file"
    name: str = "a.txt"
    group: str = "team"
    username: str = "dave"
    link_id: str = ""
    link_token: str = ""
    session_id: str = ""
    key_id: str = ""
    invite_id: str = ""
    invitation: str = ""
    """The token of an invitation."""
    request_id: str = ""
    request_token: str = ""
    request_upload_id: str = ""
    """An upload by the file request."""

    def path(self, template: str, **changes: str) -> str:
        """A path of a route with these ids, or others, in place of its parameters."""
        values = vars(self) | {"token": self.link_token}
        if template.startswith("/r/"):
            values |= {"token": self.request_token, "upload_id": self.request_upload_id}
        return template.format(**values | changes)


@dataclass(frozen=True)
class World:
    """Five accounts and what they have.

    Alice owns the file a.txt, which Bob may read and Carol may write. She has an upload in parts, a
    group with Carol as a member, a link, a file request with one upload, a second session and an
    API key. Dave has no rights. Root is the administrator and has invited somebody.
    """

    alice: Client
    bob: Client
    carol: Client
    dave: Client
    root: Client
    ids: Ids

    def path(self, route: Route) -> str:
        """A route's path with this world's ids."""
        return self.ids.path(route.path, **route.ids)

    def sender(self, route: Route) -> Client:
        """The account whose request succeeds: the administrator, where it must be one."""
        return self.root if route.power == "admin" else self.alice

    def send(self, client: Client, route: Route, **sent: Any) -> Answer:
        """Sends the register's request, with the parts and more headers that `sent` names."""
        headers = {**route.headers, **sent.pop("headers", {})}
        request = {"query": route.query, "json_": route.body, "headers": headers} | sent
        return client.send(route.method, self.path(route), **request)


def moved_folder(client: Client) -> str:
    """The id of the job of a folder that was too large for one commit and has been moved."""
    for number in range(9):
        client.put(f"old/{number}.txt", b"")
    body = {"file_name": "old/", "new_name": "new/"}
    while (answer := client.send("PATCH", "/file", json_=body)).status == 202:
        pass  # a test may leave a request time for a part of the folder only
    for number in range(9):
        client.delete("/file", file_name=f"new/{number}.txt", permanent="true")
    return str(answer.json()["id"])


def create_world() -> World:
    """Creates it by requests, in an account of AWS that holds nothing."""
    names = ("alice", "bob", "carol", "dave", "root")
    alice, bob, carol, dave, root = (join(name, f"192.0.2.{at}") for at, name in enumerate(names))
    assert alice.put("a.txt", b"the first bytes").status == 201
    for name, permission in (("bob", "read"), ("carol", "write")):
        share = {"file_name": "a.txt", "username": name, "permission": permission}
        assert alice.send("POST", "/share", json_=share).status == 201
    assert alice.send("PUT", "/groups/team").status == 201
    assert alice.send("PUT", "/groups/team/members/carol").status == 201
    assert carol.send("PUT", "/groups/team/members/carol").status == 200
    ids = create_uploads_and_links(alice)
    session = Client().post("/login", username="alice", password=PASSWORD).json()["token"]
    invited = root.post("/invites").json()
    ids = replace(
        ids,
        session_id=hashlib.sha256(session.encode()).hexdigest(),
        key_id=alice.post(
            "/keys", name="backup", scopes=["read"], current_password=PASSWORD
        ).json()["id"],
        invite_id=invited["id"],
        invitation=invited["token"],
    )
    return World(alice, bob, carol, dave, root, ids)


def create_uploads_and_links(alice: Client) -> Ids:
    """Alice's upload, job, link and file request, by their ids."""
    answer = alice.post("/uploads", file_name="big.bin", size=100 * MIB)
    assert answer.status == 201, answer.text
    upload_id, job_id = answer.json()["upload_id"], moved_folder(alice)
    answer = alice.post("/links", items=["a.txt"])
    assert answer.status == 201, answer.text
    link = answer.json()
    request = alice.post("/requests", title="Slides", folder="in/", max_files=2).json()
    token = request["url"].rpartition("/")[2]
    upload = Client().post(f"/r/{token}/uploads", file_name="s.bin", size=100 * MIB).json()
    return Ids(
        job_id=job_id,
        upload_id=upload_id,
        link_id=link["id"],
        link_token=link["url"].rpartition("/")[2],
        request_id=request["id"],
        request_token=token,
        request_upload_id=upload["upload_id"],
    )
