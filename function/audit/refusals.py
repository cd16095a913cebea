"""Refusals in the audit log: who was told that they may not, or too often."""

from function.access.callers import Anonymous
from function.audit.service import AuditLog
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key
from function.base import Base
from function.core.errors import Problem, Unavailable
from function.core.models import HttpRequest, account_of_request

COUNTED = 100  # in one record; further ones cost no write
REMEMBERED = 1000  # full records that one process knows


class RefusalLog:
    """Counts the problems that refuse a request, each with the account and the address.

    A record counts up to COUNTED refusals, so a flood of them costs few writes. An error of
    DynamoDB is no reason for another answer.
    """

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._audit = base.one(AuditLog)
        self._full: set[Key] = set()

    def count(self, problem: Problem, request: HttpRequest) -> None:
        """Counts a problem under its `refusal`; one without is ignored."""
        if not problem.refusal:
            return
        account = account_of_request.get()
        actor = Anonymous.stranger(request.address, request.agent)
        if account and account.proven:
            actor = Anonymous(account.username, request.address, request.agent)
        owner = account.username if account else None
        write = self._audit.count_refusal(actor, problem.refusal, owner=owner, limit=COUNTED)
        if write.key in self._full:
            return
        try:
            self._db.write(write)
        except ConditionFailed:
            if len(self._full) >= REMEMBERED:
                self._full.clear()
            self._full.add(write.key)
        except Unavailable:
            return
