"""Whether all that follows from the files agrees with them, whatever was done and cut off."""

from collections import Counter, defaultdict

from function.aws.rows import Item
from function.core.names import folders_of
from function.tables.accounts import Account
from function.tables.files import FileRow
from function.tables.folders import MAX_LEVELS, folder_key
from function.tables.search_terms import terms_of

Rows = list[Item]


def balanced(files: Rows, users: Rows) -> None:
    """Terms, folders, references, what falls due and what is charged, as the files have it."""
    shelves: dict[str, dict[str, Item]] = defaultdict(dict)
    known = {str(row["username"]) for row in users}
    strays: list[str] = []
    for row in files:
        owner = str(row["shelf"]).partition("/")[0]
        if owner not in known and not owner.startswith("~"):
            strays += [str(row["object"])] if "version" in row else []
            continue  # of an account that has gone
        shelves[str(row["shelf"])][str(row["name"])] = row
    accounts = {str(row["username"]): Account.model_validate(row) for row in users}
    live = [
        FileRow.model_validate(row) for name in accounts for row in shelves.get(name, {}).values()
    ]
    _found_by(live, shelves)
    kept = [
        FileRow.model_validate(row)
        for shelf, rows in shelves.items()
        if shelf.endswith(("/versions", "/trash"))
        for row in rows.values()
    ]
    _bytes([row.object for row in live + kept] + strays, shelves)
    due = {name for shelf, rows in shelves.items() if shelf.startswith("~due/") for name in rows}
    assert {f"{row.shelf}/{row.name}" for row in kept} <= due
    _charged(live + kept, files, accounts)


def _found_by(live: list[FileRow], shelves: dict[str, dict[str, Item]]) -> None:
    """Every file has its terms and counts in its folders, and nothing else does."""
    terms: dict[str, set[str]] = defaultdict(set)
    counts: Counter[tuple[str, str]] = Counter()
    for row in live:
        terms[f"{row.shelf}/terms"] |= terms_of(row)
        for folder in folders_of(row.name)[:MAX_LEVELS]:
            key = folder_key(row.shelf, folder)
            counts[key.partition, str(key.sort)] += 1
    written = {shelf: set(rows) for shelf, rows in shelves.items() if shelf.endswith("/terms")}
    assert written == dict(terms)
    folders = {
        (shelf, name): int(str(row.get("files", 0)))
        for shelf, rows in shelves.items()
        if shelf.endswith("/folders")
        for name, row in rows.items()
    }
    assert {key: files for key, files in folders.items() if files} == dict(counts)


def _bytes(named: list[str], shelves: dict[str, dict[str, Item]]) -> None:
    """Objects are counted as often as rows name them, and nothing else is."""
    counted = {
        shelf.removeprefix("~references/"): int(str(each["count"]["others"])) + 1
        for shelf, each in shelves.items()
        if shelf.startswith("~references/")
    }
    assert counted == Counter(named)


def _charged(rows: list[FileRow], files: Rows, accounts: dict[str, Account]) -> None:
    """What an account uses is what its rows have, and what its open uploads hold."""
    used: Counter[tuple[str, str]] = Counter()
    for row in rows:
        owner = row.shelf.partition("/")[0]
        if owner in accounts and accounts[owner].id == row.owner_id:
            used[owner, "bytes"] += row.size
            used[owner, "files"] += 1
    for hold in files:
        owner, _, shelf = str(hold["shelf"]).partition("/")
        if shelf == "holds" and owner in accounts and accounts[owner].id == hold["owner_id"]:
            for kind in ("", " reserved"):
                used[owner, f"bytes{kind}"] += int(str(hold["size"]))
                used[owner, f"files{kind}"] += 1
    for name, account in accounts.items():
        says = (
            account.bytes_used,
            account.files_used,
            account.bytes_reserved,
            account.files_reserved,
        )
        kinds = ("bytes", "files", "bytes reserved", "files reserved")
        assert says == tuple(used[name, kind] for kind in kinds), name
