"""How many files have the same bytes: bytes are immutable, so a copy of a file is only a row.

An object has a count of the rows that name it beyond the first, from the commit that first names it
until the last row goes, and the bytes with it. What has none is nobody's.
"""

from function.contract import FILES
from function.stores.rows import Key, Rows, Write


def references_key(object_key: str) -> Key:
    """Where the count of an object stands."""
    return Key(FILES, f"~references/{object_key}", "count")


def others(rows: Rows, object_key: str) -> int:
    """How many rows beside one name an object, as it was read."""
    return int(str(rows.get(references_key(object_key), {}).get("beyond", 0)))


def first(object_key: str) -> Write:
    """Says that a row names the object, unless that has been said."""
    return Write(
        "Update", references_key(object_key), values={":none": 0}, update="ADD beyond :none"
    )


def one_more(object_key: str) -> Write:
    """Counts another row that names the object."""
    return Write("Update", references_key(object_key), values={":one": 1}, update="ADD beyond :one")


def one_less(object_key: str, seen: int) -> Write:
    """Counts one row less than the `seen` others, or expects that there are still none."""
    key = references_key(object_key)
    if not seen:
        none = "attribute_not_exists(beyond) OR beyond = :none"
        return Write("Delete", key, none, values={":none": 0})
    values = {":seen": seen, ":less": -1}
    return Write("Update", key, "beyond = :seen", dict(values), update="ADD beyond :less")
