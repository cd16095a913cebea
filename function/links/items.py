"""The items of a link: a grant to the link on each file and folder that it shows.

Such a grant behaves as a grant to an account does: a rename of the file moves it, a delete revokes
it. It carries the `place_id` of the file, so a link never shows a new file of the same name.
"""

from collections.abc import Iterable

from function.access.errors import NoSuchFile
from function.access.policy import Authentication
from function.aws.rows import Key
from function.aws.writes import Write, equals
from function.base import Base
from function.core.runtime import iso
from function.sharing.shares import GrantCapacity
from function.tables.files import FileRow, add_grantee, file_key, remove_grantee
from function.tables.folders import add_folder_grantee, folder_key, remove_folder_grantee
from function.tables.grants import Grant, delete_grant, put_grant
from function.tables.links import LinkRow, link_grantee


class LinkItems:
    """Makes the grants of a link, and the writes that change them."""

    def __init__(self, base: Base) -> None:
        self._capacity = base.one(GrantCapacity)
        self._runtime = base.runtime

    def grants(
        self, authentication: Authentication, row: LinkRow, names: Iterable[str]
    ) -> list[Grant]:
        """New grants to a link on files and folders of its owner; duplicate names count once.

        The rows of the items (`item_keys`) must be among those of `authentication`.
        Raises NoSuchFile, LimitReached, ChangedMeanwhile.
        """
        return [self._grant(authentication, row, name) for name in dict.fromkeys(names)]

    def writes(
        self, authentication: Authentication, before: list[Grant], after: list[Grant]
    ) -> list[Write]:
        """Replaces the grants that were read by others: puts, updates and deletes what differs.

        Each write has a condition on the grant or the file as it was read. It fails when a rename
        moved the grant, or a delete revoked it, in the meantime; the caller then reads again.
        """
        writes: list[Write] = []
        removed = {grant.file: grant for grant in before}
        for grant in after:
            old = removed.pop(grant.file, None)
            if old and (old.file_id, old.expires_at) == (grant.file_id, grant.expires_at):
                continue
            unchanged = equals(rev=old.rev) if old else None
            writes += [put_grant(grant, unchanged), self._add_grantee(authentication, grant)]
        for grant in removed.values():
            writes += [delete_grant(grant), *self._remove_grantee(authentication, grant)]
        return writes

    def ensure_capacity(self, row: LinkRow, file: FileRow) -> FileRow:
        """The row of a file that has room for a grant to the link.

        Raises LimitReached, ChangedMeanwhile.
        """
        return self._capacity.ensure_capacity(file, link_grantee(row.id))

    def grant(self, row: LinkRow, name: str, file_id: str | None) -> Grant:
        """A new grant to a link; `file_id` is the file's `place_id`, None for a folder."""
        return Grant(
            grantee=link_grantee(row.id),
            file=f"{row.owner}/{name}",
            owner=row.owner,
            owner_id=row.owner_id,
            grantee_id=row.id,
            permission="read",
            created=iso(self._runtime.now()),
            rev=self._runtime.new_id(),
            file_id=file_id,
            expires_at=row.expires_at,
        )

    def _grant(self, authentication: Authentication, row: LinkRow, name: str) -> Grant:
        file, grantee = authentication.own_file(name), link_grantee(row.id)
        if file:
            file = self.ensure_capacity(row, file)
        elif name.endswith("/"):
            self._capacity.ensure_folder_capacity(authentication.rows, row.owner, name, grantee)
        else:
            raise NoSuchFile
        return self.grant(row, name, file.place_id if file else None)

    def _add_grantee(self, authentication: Authentication, grant: Grant) -> Write:
        """Adds the link to the grantees in the row of the file or folder."""
        file = authentication.own_file(grant.name)
        if file:
            return add_grantee(file, grant.grantee, self._runtime.new_id())
        return add_folder_grantee(grant.owner, grant.name, grant.grantee)

    def _remove_grantee(self, authentication: Authentication, grant: Grant) -> list[Write]:
        """Removes the link from the grantees of the folder, or of the file if it is the same."""
        if grant.file_id is None:
            return [remove_folder_grantee(grant.owner, grant.name, [grant.grantee])]
        file = authentication.own_file(grant.name)
        if file is None or file.place_id != grant.file_id:
            return []
        return [remove_grantee(file, grant.grantee, self._runtime.new_id())]


def current_grants(
    authentication: Authentication, row: LinkRow, grants: Iterable[Grant]
) -> list[Grant]:
    """The grants whose file still exists in its place, with the expiry of the link as it is now."""

    def exists(grant: Grant) -> bool:
        file = authentication.own_file(grant.name)
        return grant.file_id is None or (file is not None and file.place_id == grant.file_id)

    expiry = {"expires_at": row.expires_at}
    return [grant.model_copy(update=expiry) for grant in grants if exists(grant)]


def item_keys(owner: str, names: Iterable[str]) -> list[Key]:
    """The keys of the rows of files and folders."""
    return [(folder_key if name.endswith("/") else file_key)(owner, name) for name in names]
