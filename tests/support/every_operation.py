"""A run of every operation, accepted and refused, and the secrets that it sends and receives.

It sends the request of each row of the register, and then what a row cannot: requests that follow
from one another, whose texts occur nowhere else.
"""

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from function import base
from function.access.policy import Access
from tests.support.api_register import MIB, ROUTES
from tests.support.client import Client, join
from tests.support.fake_aws import FakeAws
from tests.support.mfa import Authenticator
from tests.support.transfers import put
from tests.support.world import World

PASSWORD = "a password seen nowhere else"
WRONG = "a wrong password seen nowhere else"
OTHER = "another password seen nowhere else"
NAME = "confidential/the name of a file.txt"
CONTENT = b"the content of a file, seen nowhere else"
KEY_NAME = "a name of a key seen nowhere else"
LINK_PASSWORD = "a password of a link seen nowhere else"
NOTE = "a note seen nowhere else"
TITLE, SENDER = "a title seen nowhere else", "a sender seen nowhere else"
DESCRIPTION = "a description seen nowhere else"


@dataclass
class Run:
    """The secrets that were sent and received, and the routes that answered."""

    secrets: set[str] = field(default_factory=set)
    never_stored: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)

    def send(self, client: Client, method: str, path: str, **sent: Any) -> Any:
        """Sends a request and notes which routes match it."""
        answer = client.send(method, path, **sent)
        assert answer.status < 500, answer.text
        self.met.update(str(route) for route in ROUTES if route.matches(method, path))
        return answer

    def everything(self, world: World, fake_aws: FakeAws) -> None:
        """Every operation: the register's in that world, and the others in an empty account."""
        self.register(world, fake_aws)
        reset(fake_aws, fake_aws.reset)
        self.sequences()

    def register(self, world: World, fake_aws: FakeAws) -> None:
        """The request of each row, by an account that may send it and by Dave."""
        ids, people = world.ids, (world.alice, world.dave, world.root)
        self.secrets |= {ids.link_token, ids.request_token, ids.invitation}
        self.secrets |= {str(client.token) for client in people}
        restore = fake_aws.snapshot()
        for route in ROUTES:
            for client in (world.sender(route), world.dave):
                who, path = Client() if route.public else client, world.path(route)
                answer = self.send(
                    who,
                    route.method,
                    path,
                    query=route.query,
                    json_=route.body,
                    headers=route.headers,
                )
                self.secrets |= presigned(answer.text)
            self.secrets |= {*texts(dict(route.query)), *texts(route.body)}
            reset(fake_aws, restore)

    def sequences(self) -> None:
        """Requests that follow from one another, with texts that occur nowhere else."""
        self.secrets |= {PASSWORD, WRONG, NAME, "the name of a file", DESCRIPTION, CONTENT.decode()}
        self.secrets.add(base64.b64encode(CONTENT).decode())
        alice, bob = self.accounts()
        alice = self.sessions(alice)
        self.administration()
        self.files(alice, bob)
        self.groups(alice, bob)
        self.uploads(alice)
        self.companion(alice)
        self.links(alice, bob)
        self.requests(alice)
        for path in ("/health", "/info", "/openapi.json", "/docs", "/", "/nothing"):
            self.send(alice, "GET", path)
        for client in (alice, bob):
            self.send(client, "POST", "/logout")

    def accounts(self) -> tuple[Client, Client]:
        """Two accounts and their sessions, and some who fail."""
        nobody = Client()
        people = []
        for name in ("alice", "bob"):
            who = {"username": name, "password": PASSWORD}
            for _ in range(2):
                self.send(nobody, "POST", "/register", json_=who | {"email": f"{name}@hidden.org"})
            token = self.send(nobody, "POST", "/login", json_=who).json()["token"]
            self.secrets |= {token, token.partition(".")[2], f"{name}@hidden.org"}
            people.append(Client(token))
            self.send(people[-1], "GET", "/me")
            self.send(nobody, "POST", "/login", json_={"username": name, "password": WRONG})
        self.send(nobody, "POST", "/login", json_={"username": "zoe", "password": WRONG})
        self.send(Client(token[:-1] + "-"), "GET", "/me")
        self.secrets.add(token.partition(".")[2][:-1] + "-")
        return people[0], people[1]

    def sessions(self, alice: Client) -> Client:
        """Another address and password, and sessions: listed, ended, one and all."""
        self.secrets |= {OTHER, "other@hidden.org"}
        for password in (WRONG, PASSWORD):
            wish = {"email": "other@hidden.org", "current_password": password}
            self.send(alice, "PATCH", "/me", json_=wish)
            wish = {"new_password": OTHER, "current_password": password}
            self.send(alice, "POST", "/password", json_=wish)
        back = {"new_password": PASSWORD, "current_password": OTHER}
        self.send(alice, "POST", "/password", json_=back)
        wish = {"name": KEY_NAME, "scopes": ["admin", "read"]}
        for more in ({}, {"current_password": WRONG}):
            self.send(alice, "POST", "/keys", json_=wish | more)
        wish["current_password"] = PASSWORD
        made = self.send(alice, "POST", "/keys", json_=wish).json()
        self.secrets |= {made["token"], made["token"].partition(".")[2], KEY_NAME}
        key = Client(made["token"])
        for password in (made["token"], WRONG):
            text = base64.b64encode(f"alice:{password}".encode()).decode()
            self.secrets.add(text)
            for path in ("/me", "/users"):
                self.send(Client(), "GET", path, headers={"authorization": f"Basic {text}"})
        self.send(key, "POST", "/keys", json_=wish | {"scopes": ["write"]})
        self.send(key, "POST", "/keys", json_={"name": KEY_NAME, "scopes": ["all"]})
        self.send(key, "PUT", "/groups/keys")
        for method, path in (("GET", "/keys"), ("DELETE", f"/keys/{made['id']}")):
            for _ in range(2):
                self.send(alice, method, path)
        self.factor(alice)
        self.again("alice")
        for each in self.send(alice, "GET", "/sessions").json():
            if not each["current"]:
                assert self.send(alice, "DELETE", f"/sessions/{each['id']}").status == 204
        self.forgotten(alice)
        everywhere = self.send(self.again("alice"), "POST", "/logout", query={"everywhere": "true"})
        assert everywhere.status == 204
        return self.again("alice")

    def forgotten(self, alice: Client) -> None:
        """A password that is forgotten, by somebody with an address and by nobody."""
        mailed: list[str] = []
        base.current().mail._client().meta.events.register(
            "before-send.sesv2.SendEmail", lambda request, **_: mailed.append(str(request.body))
        )
        for name in ("alice", "zoe"):
            self.send(Client(), "POST", "/password/forgot", json_={"username": name})
        token = re.findall(r"alice\.[A-Za-z0-9_-]{43}", mailed[0])[0]
        self.secrets |= {token, token.partition(".")[2]}
        self.never_stored.add(token.partition(".")[2])
        for _ in range(2):
            wish = {"token": token, "new_password": PASSWORD}
            self.send(Client(), "POST", "/password/reset", json_=wish)

    def factor(self, alice: Client) -> None:
        """A second factor: begun, confirmed, used and taken off, each of them wrongly too."""
        for password in (WRONG, PASSWORD):
            known = {"current_password": password}
            begun = self.send(alice, "POST", "/mfa", json_=known)
        secret, now = begun.json()["secret"], base.one(Access)._now
        self.secrets |= {secret, begun.json()["uri"]}
        app = Authenticator(secret, now)
        for code in ("000000", app.code()):
            done = self.send(alice, "POST", "/mfa/confirm", json_={"otp": code})
        codes = done.json()["recovery_codes"]
        self.secrets.update(codes)
        self.never_stored.update(codes, (each.replace("-", "") for each in codes))
        who = {"username": "alice", "password": PASSWORD}
        for more in ({}, {"otp": "000000"}, {"otp": codes[0]}, {"otp": app.code(1)}):
            answer = self.send(Client(), "POST", "/login", json_=who | more)
        self.secrets.add(answer.json()["token"])
        for code in ("000000", codes[1], codes[1]):
            self.send(alice, "DELETE", "/mfa", headers={"x-otp": code})

    def again(self, name: str) -> Client:
        """Another session of somebody's."""
        token = Client().post("/login", username=name, password=PASSWORD).json()["token"]
        self.secrets |= {token, token.partition(".")[2]}
        return Client(token)

    def administration(self) -> None:
        """What only an administrator does, done by one and tried by somebody else."""
        root, bob, nobody = join("root"), join("somebody"), Client()
        for who in (root, bob):
            made = self.send(who, "POST", "/invites", json_={"email": "carol@hidden.org"}).json()
            self.send(who, "GET", "/invites")
            self.send(who, "DELETE", f"/invites/{made.get('id', '1' * 10 + '-' + '0' * 64)}")
        invited = self.send(root, "POST", "/invites", json_={}).json()
        self.never_stored |= {made["token"], invited["token"]} if "token" in made else set()
        self.never_stored.add(invited["token"])
        for name in ("carol", "dave"):
            who = {"username": name, "password": PASSWORD, "invite": invited["token"]}
            self.send(nobody, "POST", "/register", json_=who)
        self.secrets |= self.never_stored | {"carol@hidden.org"}
        for who in (root, bob):
            self.send(who, "GET", "/users")
            self.send(who, "GET", "/audit", query={"username": "carol"})
            for query in ({}, {"username": "carol"}, {"everybody": "true"}):
                self.send(who, "GET", "/usage", query=query)
            for name, change in (
                ("carol", {"quota": 10**9, "mfa": False}),
                ("carol", {"disabled": True}),
                ("carol", {}),
                ("root", {"role": "client"}),
            ):
                self.send(who, "PATCH", f"/users/{name}", json_=change)
            for name in ("carol", "root"):
                made = self.send(who, "POST", f"/users/{name}/reset").json()
                if "token" in made:
                    self.never_stored.add(made["token"].partition(".")[2])
                    self.secrets |= self.never_stored
            for name in ("carol", "root", "nobody-at-all"):
                self.send(who, "DELETE", f"/users/{name}")

    def files(self, alice: Client, bob: Client) -> None:
        """Files in every way, shared and taken back, good and refused."""
        content = base64.b64encode(CONTENT).decode()
        body = {"file_name": NAME, "content": content}
        of = {"file_name": NAME, "username": "alice"}
        raw = {"accept": "application/octet-stream", "range": "bytes=0-3"}
        for conflict in ("replace", "replace", "fail", "rename"):
            self.send(alice, "PUT", "/file", json_=body | {"on_conflict": conflict})
        self.send(alice, "PUT", "/file", query={"file_name": NAME}, body=CONTENT)
        self.send(alice, "PUT", "/file", json_=body | {"content": "!" + content})
        self.send(alice, "PUT", "/file", query=of, body=CONTENT, headers={"if-match": "x"})
        share = {"file_name": NAME, "username": "bob"}
        for name, expires in ((NAME, 60), (NAME, None), ("confidential/", 60)):
            changed = share | {"file_name": name, "expires_in": expires}
            self.send(alice, "POST", "/share", json_=changed)
        self.send(bob, "POST", "/share", json_=share)
        for client in (alice, bob):
            for method in ("GET", "HEAD"):
                self.send(client, method, "/file", query=of, headers=raw)
            self.secrets.update(presigned(self.send(client, "GET", "/download", query=of).json()))
            self.send(client, "GET", "/files", query={"prefix": "confidential/", "limit": "1"})
            listed = self.send(client, "GET", "/files", query={"q": "name file", "urls": "true"})
            self.secrets.update(presigned(listed.json()))
            for query in ({"sort": "size"}, {"folders": "true"}, {"tag": NAME[:9]}):
                self.send(client, "GET", "/files", query=query)
            self.send(client, "GET", "/changes")
        folder = {"prefix": "confidential/", "format": "curl"}
        text = self.send(alice, "GET", "/download", query=folder).text
        self.secrets.update(presigned(text))
        for query in ({"file_name": NAME}, {"with_me": "true"}):
            self.send(bob, "GET", "/shares", query=query)
            self.send(alice, "GET", "/shares", query=query)
        move = {"file_name": NAME, "new_name": NAME + "2", "description": DESCRIPTION}
        self.send(alice, "PATCH", "/file", json_=move)
        self.send(bob, "PATCH", "/file", json_=move | {"username": "alice"})
        back = {"file_name": NAME + "2", "new_name": NAME}
        self.send(alice, "PATCH", "/file", json_=back)
        self.send(alice, "DELETE", "/share", query=share)
        self.send(bob, "DELETE", "/file", query=of)
        self.life(alice, bob)
        self.send(alice, "DELETE", "/file", query=of)

    def life(self, alice: Client, bob: Client) -> None:
        """Versions, copies and the trash, one's own and another's."""
        of = {"file_name": NAME, "username": "alice"}
        for client in (alice, bob):
            self.send(client, "GET", "/versions", query=of)
            for version in (1, 99):
                self.send(client, "POST", "/restore", json_=of | {"version": version})
            for conflict in ("fail", "fail", "replace"):
                copy = of | {"new_name": NAME + "3", "on_conflict": conflict}
                self.send(client, "POST", "/copy", json_=copy)
            self.send(client, "DELETE", "/file", query={"file_name": NAME + "3"})
            self.send(client, "GET", "/trash")
            for new_name in (NAME + "3", NAME + "4"):
                back = {"file_name": NAME + "3", "new_name": new_name}
                self.send(client, "POST", "/restore", json_=back)
            gone = {"file_name": NAME + "3", "permanent": "true"}
            self.send(client, "DELETE", "/file", query=gone)
            self.send(client, "DELETE", "/trash")
            folder = {"file_name": "confidential/", "new_name": "elsewhere confidential/"}
            back = {"file_name": "elsewhere confidential/", "new_name": "confidential/"}
            self.send(client, "PATCH", "/file", json_=folder)
            self.send(client, "PATCH", "/file", json_=back)
            self.send(client, "GET", f"/jobs/{'0' * 32}")

    def groups(self, alice: Client, bob: Client) -> None:
        """A group, its members, and what is shared with it."""
        for client in (alice, bob):
            self.send(client, "PUT", "/groups/team")
            self.send(client, "GET", "/groups")
            self.send(client, "GET", "/groups", query={"invited": "true"})
            self.send(client, "PUT", "/groups/team/members/bob")
            self.send(client, "GET", "/groups/team")
        self.send(alice, "POST", "/share", json_={"file_name": "confidential/", "group": "team"})
        self.send(bob, "GET", "/file", query={"file_name": NAME, "username": "alice"})
        self.send(alice, "DELETE", "/groups/team/members/bob")
        self.send(alice, "DELETE", "/groups/team")

    def uploads(self, alice: Client) -> None:
        """Uploads by one PUT and in parts: completed, given up, incomplete."""
        wish = {"file_name": NAME, "description": DESCRIPTION}
        for size, way in ((len(CONTENT), "complete"), (100 * MIB, "abort"), (MIB, "complete")):
            answer = self.send(alice, "POST", "/uploads", json_=wish | {"size": size})
            self.secrets.update(presigned(answer.json()))
            path = f"/uploads/{answer.json()['upload_id']}"
            if size == len(CONTENT):
                assert put(answer.json(), CONTENT).status == 200
            signed = self.send(alice, "POST", f"{path}/parts", json_={"part_numbers": [1]})
            self.secrets.update(presigned(signed.json()))
            self.send(alice, "GET", path)
            self.secrets.update(presigned(self.send(alice, "GET", "/uploads").json()))
            if way == "complete":
                self.send(alice, "POST", f"{path}/complete", json_={})
            self.send(alice, "DELETE", path)

    def companion(self, alice: Client) -> None:
        """The same in Uppy's words."""
        body = {"filename": "the name of a file", "metadata": {"relativePath": NAME}}
        upload = self.send(alice, "POST", "/s3/multipart", json_=body).json()["uploadId"]
        path = f"/s3/multipart/{upload}"
        for each in (f"{path}/batch", f"{path}/1", path):
            query = {"partNumbers": "1,2"} if each.endswith("batch") else {}
            answer = self.send(alice, "GET", each, query=query | {"key": NAME})
            self.secrets.update(presigned(answer.json()))
        parts = {"parts": [{"PartNumber": 1, "ETag": "x"}]}
        self.send(alice, "POST", f"{path}/complete", json_=parts)
        self.send(alice, "DELETE", path)
        answer = self.send(alice, "POST", "/s3/params", json_=body)
        self.secrets.update(presigned(answer.json()))
        answer = self.send(alice, "GET", "/s3/params", query={"filename": NAME})
        self.secrets.update(presigned(answer.json()))

    def links(self, alice: Client, bob: Client) -> None:
        """Links with a password and without: made, changed, opened in every way, taken back."""
        alice.put(NAME, CONTENT)
        wish = {"items": [NAME, "confidential/"], "note": NOTE, "max_downloads": 9}
        for more in ({}, {"password": LINK_PASSWORD}):
            made = self.send(alice, "POST", "/links", json_=wish | more).json()
            token = made["url"].rpartition("/")[2]
            self.never_stored |= {token, LINK_PASSWORD}
            for client in (alice, bob):
                for method in ("GET", "PATCH"):
                    self.send(client, method, f"/links/{made['id']}", json_={"note": NOTE})
            self.send(alice, "GET", "/links")
            self.visit(f"/s/{token}")
            self.send(alice, "GET", f"/links/{made['id']}/events")
            for client in (bob, alice):
                self.send(client, "DELETE", f"/links/{made['id']}")
            self.visit(f"/s/{token}")
        self.secrets |= self.never_stored | {NOTE}

    def visit(self, path: str) -> None:
        """Somebody without an account comes with a link."""
        nobody = Client()
        html, form = {"accept": "text/html"}, "application/x-www-form-urlencoded"
        for headers in ({}, html):
            for method in ("GET", "HEAD"):
                self.send(nobody, method, path, headers=headers)
            body = urlencode({"password": WRONG}).encode()
            sent = headers | {"content-type": form}
            self.send(nobody, "POST", f"{path}/unlock", body=body, headers=sent)
        known = {"password": LINK_PASSWORD}
        answer = self.send(nobody, "POST", f"{path}/unlock", json_=known)
        grant = answer.json().get("grant", "none")
        self.send(nobody, "GET", path, headers={"x-link-grant": grant})
        for wish in ({"file_name": NAME}, {"file_name": NAME, "grant": grant}, {"format": "curl"}):
            sent = wish | ({"grant": grant} if "format" in wish else {})
            answer = self.send(nobody, "POST", f"{path}/download", json_=sent)
            self.secrets.update(presigned([answer.text, answer.headers.get("location")]))
            self.never_stored.add(answer.headers.get("x-link-grant", grant))
        self.never_stored.discard("none")

    def requests(self, alice: Client) -> None:
        """A request with a password, and files that come by it: completed, given up, refused."""
        told = {"title": TITLE, "folder": "confidential/", "password": PASSWORD}
        self.secrets |= {TITLE, SENDER}
        made = self.send(alice, "POST", "/requests", json_=told | {"max_files": 2}).json()
        self.send(alice, "POST", "/requests", json_=told | {"folder": NAME})
        below = made["url"][made["url"].index("/r/") :]
        self.secrets.add(below.rpartition("/")[2])
        anyone, at = Client(), f"/requests/{made['id']}"
        for password in (WRONG, PASSWORD):
            answer = self.send(anyone, "POST", f"{below}/unlock", json_={"password": password})
        grant = answer.json()["grant"]
        self.secrets.add(grant)
        self.send(anyone, "GET", below, headers={"x-link-grant": grant})
        self.send(anyone, "GET", below)
        self.send(anyone, "GET", "/r/" + "A" * 43)
        wish = {"file_name": NAME, "size": len(CONTENT), "sender": SENDER, "grant": grant}
        for way in ("complete", "abort"):
            answer = self.send(anyone, "POST", f"{below}/uploads", json_=wish)
            if way == "abort":
                self.send(anyone, "POST", f"{below}/uploads", json_=wish)
            self.secrets.update(presigned(answer.json()))
            path = f"{below}/uploads/{answer.json()['upload_id']}"
            self.send(anyone, "POST", f"{path}/parts", json_={"part_numbers": [1]})
            self.secrets.update(presigned(self.send(anyone, "GET", path).json()))
            if way == "complete":
                assert put(answer.json(), CONTENT).status == 200
            self.send(anyone, "POST", f"{path}/complete", json_={})
            self.send(anyone, "DELETE", path)
        for method, path in (("GET", "/requests"), ("GET", at), ("DELETE", at), ("DELETE", at)):
            self.send(alice, "PATCH", at, json_={"password": PASSWORD, "title": TITLE})
            self.send(alice, method, path)


def reset(fake_aws: FakeAws, restore: Callable[[], None]) -> None:
    """Restores rows and objects, and leaves the hooks of a test in place."""
    hooks = fake_aws.before, fake_aws.after
    restore()
    fake_aws.before, fake_aws.after = hooks


def texts(part: object) -> Iterator[str]:
    """Every text in a request that is neither short nor a single word."""
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from texts(each)
    elif isinstance(part, str) and len(part) >= 5 and not part.isalpha():
        yield part


def presigned(part: object) -> set[str]:
    """The signatures of every address in an answer: who has one may read or write."""
    if isinstance(part, dict):
        return set().union(*map(presigned, part.values()))
    if isinstance(part, list):
        return set().union(*map(presigned, part))
    pieces = str(part).split("X-Amz-Signature=")[1:]
    return {piece[:64] for piece in pieces}
