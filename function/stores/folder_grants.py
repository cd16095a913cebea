"""What folders were granted to whom, noted on their rows, so that a rename knows them all.

Like a file's row that of a folder names those it was granted to; it is there before it has files.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from function.contract import FILES
from function.stores.dynamo import Dynamo
from function.stores.folders import FOLDERS, folder_key
from function.stores.rows import Item, Key, Rows, Write
from function.stores.shares import grant_key
from function.stores.terms import BETWEEN

AT_ONCE = 1000
MOST_CLEARED = 200  # writes in a step, beside those of the folder with which they become so many
MANY = "attribute_exists(grantees) AND size(grantees) = :seen"


def grantees_in(rows: Rows, owner: str, folder: str) -> frozenset[str]:
    """Whom a folder was granted to, as it was read."""
    held = rows.get(folder_key(owner, folder), {}).get("grantees")
    return held if isinstance(held, frozenset) else frozenset()


def reached(owner: str, folder: str, grantee: str) -> Write:
    """Notes that a folder is granted to somebody."""
    values: Item = {":who": frozenset({grantee})}
    return Write("Update", folder_key(owner, folder), values=values, update="ADD grantees :who")


def unreached(owner: str, folder: str, gone: Iterable[str]) -> Write:
    """Notes that what was granted to some is taken back, or has ended."""
    values: Item = {":who": frozenset(gone)}
    return Write("Update", folder_key(owner, folder), values=values, update="DELETE grantees :who")


def below(db: Dynamo, owner: str, folder: str) -> dict[str, frozenset[str]]:
    """Whom a folder and those below it were granted to, as far as they are to anybody."""
    own = folder_key(owner, folder)
    found = {folder: grantees_in(db.read([own]), owner, folder)}
    after, more = "", True
    while more:
        page = db.query(FILES, own.partition, prefix=folder, after=after, limit=AT_ONCE)
        for item in page.items:
            after = str(item["name"])
            held = item.get("grantees")
            found[after.replace(BETWEEN, "")] = held if isinstance(held, frozenset) else frozenset()
        more = page.more
    return {name: held for name, held in found.items() if held}


def to_clear(db: Dynamo, owner: str, limit: int) -> list[Write]:
    """Removals of the first folders of somebody's, each after what was granted on it."""
    shelf = f"{owner}/{FOLDERS}"
    gone: list[Write] = []
    for item in db.query(FILES, shelf, limit=limit).items:
        if len(gone) >= MOST_CLEARED:
            break
        name, held = str(item["name"]), item.get("grantees")
        folder, to = name.replace(BETWEEN, ""), held if isinstance(held, frozenset) else frozenset()
        gone += [Write("Delete", grant_key(str(each), owner, folder)) for each in sorted(to)]
        gone.append(Write("Delete", Key(FILES, shelf, name)))
    return gone


@dataclass
class Change:
    """What a commit changes about one folder, and what it expects of it.

    `seen` is how many it was granted to, `left` how many files there are to be below it.
    """

    files: int = 0
    come: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    seen: int | None = None
    left: int | None = None

    def write(self, key: Key) -> Write | None:
        """The one write for all of it; None when there is nothing to write."""
        adds, values, conditions = [], Item(), []
        if self.files:
            adds.append("files :files")
            values[":files"] = self.files
        if self.come:
            adds.append("grantees :come")
            values[":come"] = frozenset(self.come)
        update = ("ADD " + ", ".join(adds)) if adds else ""
        if self.gone:
            update += " DELETE grantees :gone"
            values[":gone"] = frozenset(self.gone)
        if self.seen is not None:
            none = "attribute_not_exists(grantees)"
            conditions.append(MANY if self.seen else none)
            values |= {":seen": self.seen} if self.seen else {}
        if self.left is not None:
            empty = " OR attribute_not_exists(files)" if self.left == self.files else ""
            conditions.append(f"(files = :before{empty})")
            values[":before"] = self.left - self.files
        condition = " AND ".join(conditions) or None
        if not update:
            return Write("ConditionCheck", key, condition, values) if condition else None
        return Write("Update", key, condition, values, update=update.strip())
