"""What must agree with the rows of files, whatever was done and wherever it was cut off."""

from collections import Counter, defaultdict

from function.aws.rows import Item, Key
from function.contract import FILES
from function.core.names import folders_of
from function.tables.accounts import Account
from function.tables.files import FileRow
from function.tables.folders import MAX_LEVELS, count_shards, folder_key
from function.tables.search_terms import terms_of
from function.tables.shards import ShardSet
from function.tables.usage import usage_shards

Rows = list[Item]
Partitions = dict[str, dict[str, Item]]


def assert_consistent(files: Rows, users: Rows) -> None:
    """Search index, folders, references, expiry entries and usage agree with the files.

    `files` and `users` are all rows of these tables.
    """
    accounts = {str(row["username"]): Account.model_validate(row) for row in users}
    partitions, strays = _partitions(files, accounts)
    live = [
        FileRow.model_validate(row)
        for name in accounts
        for row in partitions.get(name, {}).values()
    ]
    archived = [
        FileRow.model_validate(row)
        for partition, rows in partitions.items()
        if partition.endswith(("/versions", "/trash"))
        for row in rows.values()
    ]
    _assert_search_index(live, partitions)
    _assert_folders(live, partitions)
    _assert_references([row.object for row in live + archived] + strays, partitions)
    entries = {
        name
        for partition, rows in partitions.items()
        if partition.startswith("~expiry/")
        for name in rows
    }
    assert {f"{row.partition}/{row.name}" for row in archived} <= entries
    _assert_usage(live + archived, files, accounts)


def _partitions(files: Rows, accounts: dict[str, Account]) -> tuple[Partitions, list[str]]:
    """The rows by partition and sort key, and the objects of files without an account.

    An account may be deleted before the rows of its files are.
    """
    partitions: Partitions = defaultdict(dict)
    strays: list[str] = []
    for row in files:
        owner = str(row["partition"]).partition("/")[0]
        if owner in accounts or owner.startswith("~"):
            partitions[str(row["partition"])][str(row["name"])] = row
        elif "version" in row:
            strays.append(str(row["object"]))
    return partitions, strays


def _assert_search_index(live: list[FileRow], partitions: Partitions) -> None:
    """The index has the terms of all live files and no others."""
    terms: dict[str, set[str]] = defaultdict(set)
    for row in live:
        terms[f"{row.partition}/terms"] |= terms_of(row)
    stored = {name: set(rows) for name, rows in partitions.items() if name.endswith("/terms")}
    assert stored == dict(terms)


def _assert_folders(live: list[FileRow], partitions: Partitions) -> None:
    """Each folder counts the live files below it."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in live:
        for folder in folders_of(row.name)[:MAX_LEVELS]:
            key = folder_key(row.partition, folder)
            counts[key.partition, str(key.sort)] += 1
    stored = {
        (partition, name): int(str(row.get("files", 0)))
        + _sums(partitions, count_shards(Key(FILES, partition, name)), row)["files"]
        for partition, rows in partitions.items()
        if partition.endswith("/folders")
        for name, row in rows.items()
    }
    assert {key: files for key, files in stored.items() if files} == dict(counts)


def _assert_references(objects: list[str], partitions: Partitions) -> None:
    """Each object's count is the number of rows that refer to it; no other object has one."""
    counts = {
        partition.removeprefix("~references/"): int(str(rows["count"]["others"])) + 1
        for partition, rows in partitions.items()
        if partition.startswith("~references/")
    }
    assert counts == Counter(objects)


def _assert_usage(rows: list[FileRow], files: Rows, accounts: dict[str, Account]) -> None:
    """An account uses the storage of its rows and of its reservations."""
    used: Counter[tuple[str, str]] = Counter()
    for row in rows:
        owner = row.partition.partition("/")[0]
        if owner in accounts and accounts[owner].id == row.owner_id:
            used[owner, "bytes_used"] += row.size
            used[owner, "files_used"] += 1
    for row in files:
        owner, _, kind = str(row["partition"]).partition("/")
        if kind == "reservations" and owner in accounts and accounts[owner].id == row["owner_id"]:
            for use in ("used", "reserved"):
                used[owner, f"bytes_{use}"] += int(str(row["size"]))
                used[owner, f"files_{use}"] += 1
    partitions = _by_key(files)
    for name, account in accounts.items():
        sums = _sums(partitions, usage_shards(name), account.model_dump())
        assert not (account.spread and (account.disabled or account.quota or account.files_quota))
        for field in ("bytes_used", "files_used", "bytes_reserved", "files_reserved"):
            total = getattr(account, field) + sums[field]
            assert total == used[name, field], (name, field)


def _by_key(rows: Rows) -> Partitions:
    partitions: Partitions = defaultdict(dict)
    for row in rows:
        partitions[str(row["partition"])][str(row["name"])] = row
    return partitions


def _sums(partitions: Partitions, shards: ShardSet, row: Item) -> dict[str, int]:
    """What the shards of a row count beside it."""
    keys = shards.keys(str(row["spread"])) if row.get("spread") else []
    found = [partitions.get(key.partition, {}).get(str(key.sort), {}) for key in keys]
    numbers = {"files", "bytes_used", "files_used", "bytes_reserved", "files_reserved"}
    return {name: sum(int(str(each.get(name, 0))) for each in found) for name in numbers}
