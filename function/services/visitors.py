"""Who comes with a link, what is open to them, and what is noted of it."""

from dataclasses import dataclass

from function.link_models import Kind, Way
from function.link_records import EventRow, LinkRow
from function.models import Caller
from function.records import FileRow, Grant
from function.services.origins import iso
from function.services.showing import name_of
from function.services.unlocking import Locked
from function.stores.files import file_in
from function.stores.rows import Rows
from function.stores.shares import folders_of

REMEMBERED = 90 * 24 * 3600


@dataclass(frozen=True)
class Visitor:
    """Who comes with a link's token, or its alias; `caller` is proven only where that matters."""

    token: str
    address: str
    caller: Caller | None = None
    grant: str | None = None


@dataclass(frozen=True)
class Visit:
    """A link that is open but for its password: what it shows, and what was read with it."""

    link: LinkRow
    grants: list[Grant]
    rows: Rows

    def shows(self, row: FileRow) -> bool:
        """Whether a grant on a file, or on a folder above it, holds for the link."""
        names = {f"{row.shelf}/{each}" for each in [*folders_of(row.name), row.name]}
        ids = (self.link.id, row.owner_id)
        return row.owner_id == self.link.owner_id and any(
            grant.file in names
            and (grant.grantee_id, grant.owner_id) == ids
            and grant.file_id in {None, row.place_id}
            for grant in self.grants
        )

    def file(self, name: str) -> FileRow | None:
        """A file of that name, if it was read and the link shows it."""
        row = file_in(self.rows, self.link.owner, name)
        return row if row and self.shows(row) else None

    def misses(self) -> bool:
        """Whether an item is not where its grant says."""
        return any(g.file_id and self.file(name_of(g)) is None for g in self.grants)

    def files(self) -> list[FileRow]:
        """The files that are items of the link themselves."""
        names = [name for name in map(name_of, self.grants) if not name.endswith("/")]
        return [row for name in names if (row := self.file(name))]

    def folders(self) -> list[str]:
        """The folders that are items of the link, without those that are in another."""
        names = [name for name in map(name_of, self.grants) if name.endswith("/")]
        return [name for name in names if not any(name.startswith(n) and name != n for n in names)]


def locked(link: LinkRow) -> Locked:
    """A link as what may have a password."""
    return Locked(link.id, link.seal, link.password)


def event(kind: Kind, how: Way, now: float, name: str | None = None, times: int = 1) -> EventRow:
    """Something that was done with a link."""
    return EventRow(
        kind=kind,
        how=how,
        created=iso(now),
        expires_at=int(now) + REMEMBERED,
        file_name=name,
        times=times,
    )
