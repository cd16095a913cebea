"""Wrong versions of the code, each right while no call fails and no other request comes.

Patches replace pieces of the function. The suites must find each of them.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from unittest import mock

from function.auth.login import LoginService
from function.aws.dynamodb import ConditionFailed, Dynamo
from function.aws.errors import translate_aws_errors
from function.aws.rows import Key
from function.aws.s3 import Bucket, Stored
from function.aws.writes import Write, delete, put, update
from function.contract import USERS
from function.core.errors import NotSignedIn, Unavailable
from function.core.models import Caller
from function.files.commit import FileWriter
from function.files.content import SmallUploadService
from function.tables import links, uploads
from function.tables.files import FileRow, archive, file_key, refcount_key
from function.tables.links import LinkRow
from function.tables.sessions import IdempotencyRecord, expire_session
from function.tables.uploads import UploadRow, Uploads
from function.tables.usage import StorageAmount, refund
from function.uploads.service import UploadService


@dataclass(frozen=True)
class Mutant:
    """A wrong version, and the operation that shows it, alone or interleaved with `meets`."""

    name: str
    pieces: Callable[[], dict[str, Any]]
    operation: str
    meets: str = ""

    @contextmanager
    def built(self) -> Iterator[None]:
        """Patches the pieces, each where it is looked up."""
        with ExitStack() as patches:
            for name, piece in self.pieces().items():
                patches.enter_context(mock.patch(f"function.{name}", piece))
            yield


def row_before_bytes() -> dict[str, Any]:
    """Commits before the bytes are stored."""
    waiting: list[Callable[[], Any]] = []

    class Later(Bucket):
        def put(self, key: str, data: bytes, content_type: str) -> Stored:
            waiting.append(lambda: super(Later, self).put(key, data, content_type))
            etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
            return Stored(key, len(data), etag, hashlib.sha256(data).hexdigest())

    right = FileWriter.commit

    def commit(self: FileWriter, *args: Any, **kwargs: Any) -> Any:
        bytes_ = waiting.pop()
        placed = right(self, *args, **kwargs)
        bytes_()
        return placed

    return {"base.Bucket": Later, "files.commit.FileWriter.commit": commit}


def nothing_kept(partition: str) -> type[Dynamo]:
    """Deletes replaced or deleted files at once, and refunds them."""

    class Forgetful(Dynamo):
        def commit(self, writes: Sequence[Write], pauses: Any = None) -> None:
            puts = [each for each in writes if each.item]
            gone = [each.item for each in puts if each.key.partition.endswith(f"/{partition}")]
            kept = [each for each in writes if f"/{partition}" not in f"{each.key[1]}{each.key[2]}"]
            for row in gone:
                size, owner = int(str(row["size"])), str(row["partition"]).partition("/")[0]
                named = refcount_key(str(row["object"]))
                if all(each.key != named for each in kept):
                    kept.append(delete(named))
                back = refund(owner, str(row["owner_id"]), StorageAmount(size, 1))
                charged = [each for each in kept if each.key == back.key and each.change]
                for each in charged:
                    used = {":bytes_used": -size, ":files_used": -1}
                    values = {
                        name: int(str(value)) + used.get(name, 0)
                        for name, value in each.change.values.items()
                    }
                    change = each.change._replace(values=values)
                    kept[kept.index(each)] = each._replace(change=change)
                kept += [] if charged else [back]
            super().commit(kept, pauses)

    return Forgetful


def bytes_dropped_first(partition: str) -> dict[str, Any]:
    """Archives nothing, and deletes the old object before the row that names it."""
    made: list[Bucket] = []

    class Known(Bucket):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(self)

    def drop(row: FileRow, *args: Any) -> list[Write]:
        with translate_aws_errors():
            made[0]._client.delete_object(Bucket=made[0]._name, Key=row.object)
        return archive(row, *args)

    return {
        "base.Bucket": Known,
        "base.Dynamo": nothing_kept(partition),
        "files.commit.archive": drop,
    }


def overwritten_in_place() -> dict[str, Any]:
    """Has one object for each name, so the old row gets the new bytes."""
    names: list[str] = []

    right = SmallUploadService.put

    def named(self: SmallUploadService, caller: Any, owner: Any, request: Any, data: Any) -> Any:
        names.append(request.file_name)
        try:
            return right(self, caller, owner, request, data)
        finally:
            names.pop()

    class OnePerName(Bucket):
        def put(self, key: str, data: bytes, content_type: str) -> Stored:
            return super().put(f"{key.partition('/')[0]}/{names[-1]}", data, content_type)

    kept = nothing_kept("versions")
    return {
        "files.content.SmallUploadService.put": named,
        "base.Bucket": OnePerName,
        "base.Dynamo": kept,
    }


def logout_swallows() -> dict[str, Any]:
    """Answers a logout with success even if it fails."""

    right = LoginService.logout

    def logout(self: LoginService, caller: Caller) -> None:
        with suppress(Unavailable):
            right(self, caller)

    return {"auth.login.LoginService.logout": logout}


def logout_without_token() -> dict[str, Any]:
    """Takes a session that has ended for one that another request ended."""

    def logout(self: LoginService, caller: Caller) -> None:
        try:
            self._db.write(expire_session(caller.token_hash, int(self._runtime.now())))
        except ConditionFailed:
            raise NotSignedIn from None

    return {"auth.login.LoginService.logout": logout}


def register_without_token() -> dict[str, Any]:
    """Takes a used name for one that another request registered."""

    class Forgetful(Dynamo):
        def commit(self, writes: Sequence[Write], pauses: Any = None) -> None:
            if writes[0].key.table.name == "users" and writes[0].kind == "Put":
                self.write(writes[0])
            else:
                super().commit(writes, pauses)

    return {"base.Dynamo": Forgetful}


def commit_without_rev() -> dict[str, Any]:
    """Replaces a file even if it has changed since it was read."""

    def replace(old: FileRow, row: FileRow) -> Write:
        return put(file_key(row.partition, row.name), row)

    return {"files.commit.replace_file": replace}


def charged_afterwards() -> dict[str, Any]:
    """Counts the bytes used after the commit, by a write of its own."""

    class Apart(Dynamo):
        def commit(self, writes: Any, pauses: Any = None) -> None:
            apart = [each for each in writes if each.key.table is USERS and each.kind == "Update"]
            super().commit([each for each in writes if each not in apart], pauses)
            for each in apart:
                self.write(each)

    return {"base.Dynamo": Apart}


def completed_blindly() -> dict[str, Any]:
    """Commits a completion even if the upload has changed since it was read."""

    def finish(row: UploadRow, answer: str) -> list[Write]:
        noted, *others = uploads.finish_upload(row, answer)
        return [noted._replace(when=None), *others]

    return {"uploads.completion.finish_upload": finish}


def given_up_bytes_first() -> dict[str, Any]:
    """Deletes the bytes of an upload before its row."""

    right = UploadService.abort

    def abort(self: UploadService, caller: Any, upload_id: str) -> None:
        row = self._find_to_abort(caller, upload_id)
        self._bucket.discard(row.object, row.multipart)
        right(self, caller, upload_id)

    return {"uploads.service.UploadService.abort": abort}


def struck_from_the_list() -> dict[str, Any]:
    """Deletes the expiry entry of an aborted upload before its bytes."""

    right = Uploads.delete_unfinished

    def remove(self: Uploads, row: UploadRow) -> bool:
        removed = right(self, row)
        if removed:
            self._db.write(delete(uploads.upload_expiry_key(row)))
        return removed

    return {"tables.uploads.Uploads.delete_unfinished": remove}


def counted_blindly() -> dict[str, Any]:
    """Reads whether a link has downloads left, and then counts without a condition."""

    def count(row: LinkRow, more: int) -> Write:
        return update(links.link_key(row.id), add={"downloads": more})

    return {"links.downloads.count_downloads": count}


def recorded_blindly() -> dict[str, Any]:
    """Reads whether a key has a record, and then puts one without a condition."""

    def record(key: Key, row: IdempotencyRecord, _now: int) -> Write:
        return put(key, row)

    return {"idempotency.creation.put_idempotency_record": record}


def recorded_afterwards() -> dict[str, Any]:
    """Records what a request created in a commit after that of the thing."""
    right = Dynamo.transact

    def transact(self: Dynamo, plan: Any, on_condition_failed: Any = None) -> Any:
        late: list[Write] = []

        def without_record() -> Any:
            writes, result = plan()
            late[:] = [each for each in writes if each.key.partition.startswith("idempotency:")]
            return [each for each in writes if each not in late], result

        result = right(self, without_record, on_condition_failed)
        if late:
            self.commit(late)
        return result

    return {"aws.dynamodb.Dynamo.transact": transact}


MUTANTS = (
    Mutant("row before bytes", row_before_bytes, "put a new file"),
    Mutant(
        "old bytes dropped before the commit",
        lambda: bytes_dropped_first("versions"),
        "replace",
    ),
    Mutant("overwrite in place", overwritten_in_place, "replace"),
    Mutant("overwrite in place, met", overwritten_in_place, "replace", "replace another's"),
    Mutant("log-out swallows errors", logout_swallows, "log out"),
    Mutant("log-out without a token", logout_without_token, "log out"),
    Mutant("register without a token", register_without_token, "register"),
    Mutant("commit without rev", commit_without_rev, "replace", "replace another's"),
    Mutant("commit without rev, deleted", commit_without_rev, "replace", "delete"),
    Mutant("bytes charged after the commit", charged_afterwards, "put a new file"),
    Mutant("bytes charged after replacing", charged_afterwards, "replace"),
    Mutant("delete the bytes, then the row", lambda: bytes_dropped_first("trash"), "delete"),
    Mutant("complete without the upload's rev", completed_blindly, "complete", "abort"),
    Mutant("complete parts blindly", completed_blindly, "complete parts", "abort parts"),
    Mutant("remove an upload's bytes first", given_up_bytes_first, "abort parts"),
    Mutant("remove an upload's bytes first, met", given_up_bytes_first, "abort", "complete"),
    Mutant("count blindly", counted_blindly, "download by a link", "download by a link"),
    Mutant("record blindly", recorded_blindly, "create a link once", "create a link once"),
    Mutant("record afterwards", recorded_afterwards, "create a link once"),
    Mutant("strike the line first", struck_from_the_list, "abort"),
)
