"""Small uploads, whose bytes come through the function."""

from contextlib import suppress

from function.errors import Problem, TooLarge, Unavailable
from function.models import Caller, FileObject, Upload
from function.services.access import Access, needed
from function.services.audit import Audit
from function.services.contents import HEAD
from function.services.origins import Origins
from function.services.placing import Intent, Placing
from function.services.views import file_object
from function.stores.objects import Objects

SMALL = 4 * 1024 * 1024  # as Base64 it fits the 6 MB that a Lambda takes and gives


class Uploads:
    """Takes files."""

    def __init__(
        self, access: Access, objects: Objects, placing: Placing, audit: Audit, origins: Origins
    ) -> None:
        """Bytes go to `objects`, and then `placing` names them."""
        self._access = access
        self._objects = objects
        self._placing = placing
        self._audit = audit
        self._from = origins

    def put(self, caller: Caller, upload: Upload) -> tuple[FileObject, bool]:
        """Stores a file; also says whether it is new. Raises TooLarge and what placing raises."""
        if len(upload.data) > SMALL:
            raise TooLarge(f"PUT /file takes {SMALL} bytes; for more use POST /uploads.")
        owner, name = upload.username or caller.username, upload.file_name
        intent = Intent(
            name,
            upload.content_type,
            upload.on_conflict,
            upload.if_match,
            upload.if_none_match,
            head=upload.data[:HEAD],
        )
        need = needed(upload.on_conflict)
        entry = self._access.open(caller, owner, name, need=need)
        self._placing.check(entry, intent, len(upload.data))
        key = f"{owner}/{self._from.new_id()}"
        stored = self._objects.put(key, upload.data, upload.content_type)
        try:
            placed = self._placing.place(
                lambda: self._access.open(caller, owner, name, need=need),
                entry,
                intent,
                stored,
                lambda placed: [self._audit.of(caller, "file.put", placed.row.name, owner=owner)],
            )
        except Unavailable:  # perhaps it was committed
            raise
        except Problem:
            with suppress(Unavailable):
                self._objects.remove(key)  # it was not, and nobody will ever name these bytes
            raise
        return file_object(placed.row, placed.permission), placed.created
