"""A world in which everything that a request may read is as large as the limits allow."""

from dataclasses import dataclass
from typing import Any

from moto.backends import get_backend

from function.aws.rows import Item, encode
from function.core.limits import MAX_PARTS, MIB, MIN_PART_BYTES
from function.core.names import NAME_LEVELS, folders_of
from function.tables.folders import folder_key
from function.tables.groups import MAX_GROUPS
from tests.conftest import Behind
from tests.support.bulk_files import fill
from tests.support.client import Client
from tests.support.moto_rows import tables
from tests.support.world import World

PAGE = 1000  # the most that a list returns
MANY = PAGE + 1
GRANTEES = 1000  # the most of a file or folder
ITEMS = 40  # the most of a link
BOXES = 10
DEEP = "/".join([*("abcdefghijklmnopqrs"), "deep.bin"])
assert len(DEEP.split("/")) == NAME_LEVELS
GROUPS = [f"g{number:02}" for number in range(MAX_GROUPS)]
LATE = "2026-09-01T00:00:00.000Z"


@dataclass(frozen=True)
class Crowd:
    """The world, and the ids of what is large in it."""

    world: World
    link: str
    token: str
    upload: str
    """Of 10,000 parts."""


class Filling:
    """Writes rows, many of them like one that exists."""

    def __init__(self, world: World, behind: Behind) -> None:
        self.world, self.behind = world, behind
        world.alice.put(DEEP)
        world.alice.put("a.txt", b"again")
        world.alice.put("gone.txt")
        world.alice.delete("/file", file_name="gone.txt")
        names = (f"many/photo {number:04}.jpg" for number in range(MANY))
        self.many = fill(behind.settings, "alice", names)
        fill(behind.settings, "alice", ["full/full.txt"])
        self.link_id, self.token = self.link()
        self.upload_id = self.upload()
        self.alice = behind.row("users", username="alice")
        self.bob = behind.row("users", username="bob")
        self.rows = {noun: behind.rows(noun) for noun in ("users", "sessions", "shares", "files")}

    def put(self, noun: str, row: Item) -> None:
        """Writes a row past the API and the SDK."""
        tables()[getattr(self.behind.settings, noun)].put_item(encode(row))

    def like(self, noun: str, row: Item, count: int = MANY, **columns: str) -> None:
        """Writes rows like another, with columns in which `{}` is a number of each."""
        for number in range(count):
            self.put(noun, row | {k: v.format(f"{number:04}") for k, v in columns.items()})

    def one(self, noun: str, **values: str) -> Item:
        """The first row with these values, or with keys that begin with them."""
        return next(
            row
            for row in self.rows[noun]
            if all(str(row.get(name, "")).startswith(value) for name, value in values.items())
        )

    def groups(self) -> None:
        """Fifty groups of Root's with Bob; Alice is in all but one, and in her own."""
        root = self.behind.row("users", username="root")
        head = self.behind.row("shares", grantee="group:team", file="~group")
        member = self.behind.row("shares", grantee="group:team", file="~member/alice")
        for name in GROUPS:
            key = {"grantee": f"group:{name}"}
            owned = {"id": f"id-{name}", "owner": "root", "owner_id": root["id"]}
            self.put("shares", head | key | owned)
            for who in (root, self.bob, *([self.alice] if name != GROUPS[0] else [])):
                of = {"username": who["username"], "member_id": who["id"], "group_id": f"id-{name}"}
                self.put("shares", member | key | of | {"file": f"~member/{who['username']}"})
        others = {"grantee": "group:g00", "group_id": "id-g00", "member_id": "x"}
        self.like("shares", member | others, file="~member/u{}", username="u{}")
        for who, names in ((root, GROUPS), (self.bob, GROUPS), (self.alice, ["team", *GROUPS[1:]])):
            self.put("users", who | {"groups": frozenset(names)})
        invitation = member | {"file": "~member/alice", "member_id": self.alice["id"]}
        self.like(
            "shares", invitation | {"accepted": False}, grantee="group:x{}", group_id="id-x{}"
        )

    def deep_grants(self) -> None:
        """Each group has a grant on each folder above the deepest file, and on the file."""
        file = self.behind.row("files", partition="alice", name=DEEP)
        grant = self.one("shares", grantee="user:bob", file="alice/a.txt")
        grantees = frozenset(f"group:{name}" for name in GROUPS)
        for place in [*folders_of(DEEP), DEEP]:
            for name in GROUPS:
                ids: Item = {"grantee_id": f"id-{name}", "file_id": None}
                ids |= {"file_id": file["id"]} if place == DEEP else {}
                row = grant | {"grantee": f"group:{name}", "file": f"alice/{place}"} | ids
                self.put("shares", row | {"permission": "write" if name == "g49" else "read"})
            if place != DEEP:
                key = folder_key("alice", place)
                self.put("files", key.item() | {"files": 1, "grantees": grantees})
        self.put("files", file | {"grantees": grantees})

    def files(self) -> None:
        """Many files, a file and a folder with the most grantees, and shares for Bob."""
        grant = self.one("shares", grantee="user:bob", file="alice/a.txt")
        for row in self.many:
            key = {"file": f"alice/{row.name}", "file_id": row.id}
            self.put("shares", grant | key)
        full = self.behind.row("files", partition="alice", name="full/full.txt")
        grantees = frozenset(f"user:u{number:04}" for number in range(GRANTEES))
        self.put("files", full | {"grantees": grantees})
        folder = folder_key("alice", "full/")
        self.put("files", folder.item() | {"files": 1, "grantees": grantees})
        for name, file_id in (("full/full.txt", full["id"]), ("full/", None)):
            on = grant | {"file": f"alice/{name}", "file_id": file_id}
            self.like("shares", on, GRANTEES, grantee="user:u{}")
        for box in range(BOXES):
            place = f"box{box}/"
            self.like("files", full | {"owner_id": self.alice["id"]}, name=place + "{}", id="b{}")
            self.put("shares", grant | {"file": f"alice/{place}", "file_id": None})

    def archives(self) -> None:
        """Many versions, deleted files, changes, uploads, jobs."""
        version = self.one("files", partition="alice/versions")
        self.like("files", version, name=str(version["name"])[:-4] + "{}")
        self.like("files", self.one("files", partition="alice/trash"), name="gone{}\0" + LATE)
        self.like("files", self.one("files", partition="alice/changes"), name=LATE + "/{}")
        self.like("files", self.one("files", partition="alice/uploads"), name="{}")
        self.like("files", self.one("files", partition="alice/jobs"), name="{}")

    def lists(self) -> None:
        """Many sessions, links with events, file requests, accounts and invitations."""
        session = self.one("sessions", username="alice")
        self.like("sessions", session, token_hash="{}")
        event = self.one("shares", grantee=f"events:{self.link_id}")
        self.like("shares", event, file=LATE + "/{}")
        link = self.one("shares", grantee="link:", file="~link/")
        entry = self.one("shares", grantee="links:alice")
        self.like("shares", link, grantee="link:{}", file="~link/{}", id="{}")
        self.like("shares", entry, file=LATE + "/{}", link="{}")
        asked = self.one("shares", grantee="request:")
        entry = self.one("shares", grantee="requests:alice")
        self.like("shares", asked, grantee="request:{}", file="~request/{}", id="{}")
        self.like("shares", entry, file=LATE + "/{}", request="{}")
        self.like("files", self.one("files", partition="~accounts/invites"), name="{}")
        self.like("files", self.one("files", partition="~audit/"), name=LATE + "/{}", at=LATE)
        self.like("users", self.behind.row("users", username="dave"), username="u{}")

    def link(self) -> tuple[str, str]:
        """A link to forty folders and files, with many events: its id and its token."""
        items = [f"box{box}/" for box in range(BOXES)]
        items += [f"many/photo {number:04}.jpg" for number in range(ITEMS - BOXES)]
        made = self.world.alice.post("/links", items=items).json()
        token = made["url"].rpartition("/")[2]
        assert Client().get(f"/s/{token}").status == 200
        return made["id"], token

    def upload(self) -> str:
        """An upload in the most parts, which have all arrived."""
        size = MAX_PARTS * MIN_PART_BYTES
        answer = self.world.alice.post("/uploads", file_name="huge.bin", size=size)
        upload = str(answer.json()["upload_id"])
        row = self.behind.row("files", partition="alice/uploads", name=upload)
        bucket: Any = get_backend("s3")["123456789012"]["aws"].buckets[self.behind.settings.bucket]
        parts = bucket.multiparts[row["multipart"]]
        for number in range(1, MAX_PARTS + 1):
            parts.set_part(number, b"x")
        assert row["part_size"] == MIN_PART_BYTES >= 8 * MIB
        return upload


def crowded(world: World, behind: Behind) -> Crowd:
    """Fills the world."""
    filling = Filling(world, behind)
    filling.groups()
    filling.deep_grants()
    filling.files()
    filling.archives()
    filling.lists()
    return Crowd(world, filling.link_id, filling.token, filling.upload_id)
