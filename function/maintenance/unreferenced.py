"""Objects that no row refers to: left by a crash before its commit, or what a lost row named.

Nothing tells the two apart but the circumstances, and bytes are not taken back from a wrong guess.
So a scheduled run deletes an object only if all of this is true:

- It is older than any upload can be, and has no reference count.
- It was created since sweeps have followed each other in this table. A restored table lacks the
  last of them, so what was uploaded before is never deleted.
- Its owner's account exists, and was found charged for what its rows hold.
- No account is charged for more than its rows hold, and few objects are unreferenced.

Otherwise it stops, and says why. A person who knows better confirms.
"""

from dataclasses import replace
from typing import NamedTuple

from function.aws.s3 import ListedObject
from function.base import Base
from function.core.limits import DAY, UPLOAD_DAYS
from function.maintenance.reconciliation_store import (
    PAGE_SIZE,
    Evidence,
    Mode,
    ReconciliationPosition,
    ReconciliationStore,
)

# A commit names bytes that are at most as old as an upload can be. The clock of S3 is another one,
# hence a day more.
MIN_AGE = (UPLOAD_DAYS + 1) * DAY
# At most one object in a hundred is deleted in a pass, but up to MIN_LIMIT in a small bucket.
MIN_LIMIT, MAX_LIMIT = 10, 100
BATCH_SIZE = 100


class ObjectPage(NamedTuple):
    """A page of `listed` objects: the position after it, and the names of their `owners`.

    `unreferenced` are the old ones without a reference count. `more` tells whether others follow.
    """

    position: ReconciliationPosition
    listed: int
    owners: set[str]
    unreferenced: list[ListedObject]
    more: bool


class UnreferencedObjects:
    """Finds the objects that no row refers to, and deletes those that it may."""

    def __init__(self, base: Base, store: ReconciliationStore, mode: Mode) -> None:
        self._store, self._mode = store, mode
        self._bucket = base.bucket
        self._table = base.settings.files
        self._runtime = base.runtime

    def look_at_page(self, at: ReconciliationPosition) -> ObjectPage:
        """Looks at the next page of objects."""
        page = self._bucket.list_objects(at.last_object, PAGE_SIZE)
        old = [each for each in page if each.modified < self._runtime.now() - MIN_AGE]
        lost = self._store.without_refcount(each.key for each in old)
        found = [each for each in old if each.key in lost]
        evidence = replace(
            at.evidence,
            objects=at.evidence.objects + len(page),
            unreferenced=at.evidence.unreferenced + len(found),
            candidates=(*at.evidence.candidates, *self._candidates(found, at.evidence)),
        )
        last = page[-1].key if page else ""
        position = replace(at, last_object=last, evidence=evidence)
        owners = {_owner(each) for each in page}
        return ObjectPage(position, len(page), owners, found, more=len(page) == PAGE_SIZE)

    def delete(self, objects: list[tuple[str, int]]) -> list[tuple[str, int]]:
        """Deletes objects, given with their sizes, that still have no reference count.

        Returns those that it deleted; in a dry run, those that it would.
        """
        deleted: list[tuple[str, int]] = []
        for start in range(0, len(objects), BATCH_SIZE):
            batch = dict(objects[start : start + BATCH_SIZE])
            keys = sorted(self._store.without_refcount(batch))
            kept = set() if self._mode == "dry-run" else self._bucket.delete_many(keys)
            deleted += [(key, batch[key]) for key in keys if key not in kept]
        return deleted

    def _candidates(self, found: list[ListedObject], evidence: Evidence) -> list[tuple[str, int]]:
        """Those of the objects that a scheduled run may delete, but no more than it needs."""
        room = MAX_LIMIT - len(evidence.candidates)
        if not found or room <= 0:
            return []
        since = self._store.watched_since(self._table)
        owners = {_owner(each) for each in found} - set(evidence.unproven)
        proven = self._store.existing(owners)
        allowed = [each for each in found if each.modified > since and _owner(each) in proven]
        return [(each.key, each.size) for each in allowed[:room]]


def reasons_to_stop(evidence: Evidence) -> list[str]:
    """Why a scheduled run must not delete objects, in sentences for the operator."""
    reasons = []
    if evidence.overcharged:
        reasons.append(
            f"{evidence.overcharged} accounts are charged for more than their rows hold: "
            "the table may have lost rows."
        )
    limit = min(MAX_LIMIT, max(MIN_LIMIT, evidence.objects // 100))
    if evidence.unreferenced > limit:
        reasons.append(
            f"{evidence.unreferenced} of {evidence.objects} objects have no row, more than the "
            f"{limit} that may be deleted: the table may have lost rows."
        )
    return reasons


def _owner(each: ListedObject) -> str:
    return each.key.partition("/")[0]
