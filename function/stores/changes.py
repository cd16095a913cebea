"""What has changed among an account's files, so that a copy of them can be kept up.

A change is a row on the shelf `<owner>/changes`, under its time, written in the commit that it
tells of. Commits of the same moment may become visible in another order than that of their times.
"""

from function.contract import FILES
from function.records import FileRow
from function.stores.rows import Item, Key, Write

CHANGES = "changes"


def changed(old: FileRow | None, new: FileRow | None, at: str, nonce: str, until: int) -> Write:
    """Tells of a file that is new, otherwise, elsewhere or gone, until `until` (epoch seconds).

    What it was before is said as well: a sorted list that began earlier goes by that.
    """
    row = new or old
    assert row, "a change of nothing"
    key = Key(FILES, f"{row.shelf}/{CHANGES}", f"{at}/{nonce}")
    item: Item = {
        **key.item(),
        "file_id": row.id,
        "owner_id": row.owner_id,
        "file_name": row.name,
        "gone": new is None,
        "rev": row.rev,
        "expires_at": until,
    }
    if old:
        item |= {"was": old.name, "was_size": old.size, "was_modified": old.modified}
    return Write("Put", key, item=item)
