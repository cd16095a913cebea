"""Files and shares as the API shows them."""

from function.fields import Permission
from function.models import FileObject
from function.records import FileRow, Grant
from function.services.conditions import revision
from function.services.origins import iso
from function.sharing_models import Share


def file_object(row: FileRow, permission: Permission) -> FileObject:
    """A live file, as somebody with that right sees it."""
    return FileObject(
        key=f"{row.shelf}/{row.name}",
        owner=row.shelf,
        file_name=row.name,
        size=row.size,
        modified=row.modified,
        created=row.created,
        content_type=row.content_type,
        sha256=row.sha256,
        etag=row.etag,
        revision=revision(row),
        version=row.version,
        permission=permission,
        description=row.description,
        tags=row.tags,
        modified_by=row.modified_by,
        sender=row.sender,
    )


def share(grant: Grant) -> Share:
    """A grant, as its owner and its grantee see it."""
    kind, _, name = grant.grantee.partition(":")
    return Share(
        key=grant.file,
        owner=grant.owner,
        file_name=grant.file.removeprefix(f"{grant.owner}/"),
        username=name if kind == "user" else None,
        group=name if kind == "group" else None,
        link=name if kind == "link" else None,
        permission=grant.permission,
        created=grant.created,
        expires_at=None if grant.expires_at is None else iso(grant.expires_at),
    )
