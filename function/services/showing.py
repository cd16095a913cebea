"""What a link shows: a grant to it on each file or folder, noted on the file as any other.

A file's rename carries such a grant and its delete revokes it; a new file of the same name is not
shown, because the grant is for the place of the old one.
"""

from collections.abc import Iterable
from dataclasses import replace

from function.errors import NoSuchFile
from function.link_records import LinkRow
from function.records import FileRow, Grant
from function.services.access import Entry
from function.services.origins import Origins, iso
from function.services.room import Room
from function.stores import folder_grants
from function.stores.files import file_in, file_key, reached, unreached
from function.stores.folders import folder_key
from function.stores.links import grantee
from function.stores.rows import Key, Write
from function.stores.shares import put, take_back


class Showing:
    """Grants to links, and the writes that put them and take them back."""

    def __init__(self, room: Room, origins: Origins) -> None:
        """Ids and times are of `origins`."""
        self._room = room
        self._from = origins

    def grants(self, entry: Entry, row: LinkRow, names: Iterable[str]) -> list[Grant]:
        """The grants by which a link shows files and folders of its owner's.

        Raises NoSuchFile, LimitReached.
        """
        return [self._grant(entry, row, name) for name in dict.fromkeys(names)]

    def _grant(self, entry: Entry, row: LinkRow, name: str) -> Grant:
        file = own_file(entry, name)
        if file is None and not name.endswith("/"):
            raise NoSuchFile
        if file is None:
            self._room.made_in(entry.rows, row.owner, name, grantee(row.id))
        file = file and self._room.made(file, grantee(row.id))
        return Grant(
            grantee=grantee(row.id),
            file=f"{row.owner}/{name}",
            owner=row.owner,
            owner_id=row.owner_id,
            grantee_id=row.id,
            permission="read",
            created=iso(self._from.now()),
            rev=self._from.new_id(),
            file_id=file.place_id if file else None,
            expires_at=row.expires_at,
        )

    def _reached(self, file: FileRow | None, grant: Grant) -> Write:
        """Notes on the file, or the folder, whom it is granted to."""
        if file:
            return reached(file, grant.grantee, self._from.new_id())
        return folder_grants.reached(grant.owner, name_of(grant), grant.grantee)

    def writes(self, entry: Entry, held: list[Grant], wanted: list[Grant]) -> list[Write]:
        """Puts the grants that are new or otherwise, and takes back those not wanted any more.

        All this expects the grants as they were `held`: where a file is not found, its grant was
        left behind, or has gone with it to another name meanwhile, and one must look again.
        """
        writes: list[Write] = []
        before = {grant.file: grant for grant in held}
        for grant in wanted:
            old = before.pop(grant.file, None)
            if old and (old.file_id, old.expires_at) == (grant.file_id, grant.expires_at):
                continue
            file = own_file(entry, name_of(grant))
            noted = [self._reached(file, grant)]
            put_it = put(grant)
            if old:
                put_it = replace(put_it, condition="rev = :was", values={":was": old.rev})
            writes += [put_it, *noted]
        for grant in before.values():
            file = own_file(entry, name_of(grant))
            stands = file is not None and file.place_id == grant.file_id
            noted = [unreached(file, grant.grantee, self._from.new_id())] if file and stands else []
            if grant.file_id is None:
                noted = [folder_grants.unreached(grant.owner, name_of(grant), [grant.grantee])]
            writes += [take_back(grant), *noted]
        return writes


def still(entry: Entry, row: LinkRow, held: Iterable[Grant]) -> list[Grant]:
    """The grants that stand, until the link as it is now may go; never one for a namesake."""

    def stands(grant: Grant) -> bool:
        file = own_file(entry, name_of(grant))
        return grant.file_id is None or (file is not None and file.place_id == grant.file_id)

    ending = {"expires_at": row.expires_at}
    return [each.model_copy(update=ending) for each in held if stands(each)]


def own_file(entry: Entry, name: str) -> FileRow | None:
    """The caller's own file of that name, if it was read."""
    file = file_in(entry.rows, entry.account.username, name)
    return file if file and file.owner_id == entry.account.id else None


def name_of(grant: Grant) -> str:
    """What a grant is on, as its owner calls it."""
    return grant.file.removeprefix(f"{grant.owner}/")


def file_keys(owner: str, names: Iterable[str]) -> list[Key]:
    """Where files of those names stand, and folders."""
    return [(folder_key if name.endswith("/") else file_key)(owner, name) for name in names]
