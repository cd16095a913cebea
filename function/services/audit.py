"""Noting who changed what: each change's record is one more write of its own commit."""

from function.audit_records import AuditRow
from function.models import Caller
from function.records import Account, Load
from function.services.actors import Guest, Member, Sender
from function.services.origins import Origins, iso
from function.services.quotas import nearly_full
from function.stores.audit import noted
from function.stores.rows import Write


class Audit:
    """Makes the records."""

    def __init__(self, origins: Origins, keep_seconds: int) -> None:
        """A record is kept for `keep_seconds`."""
        self._from = origins
        self._keep_seconds = keep_seconds

    def of(
        self,
        who: Caller | Guest | Member | Sender,
        action: str,
        file_name: str | None = None,
        *,
        owner: str | None = None,
        subject: str | None = None,
    ) -> Write:
        """The record of one change; `owner` is whose it is, the actor's own by default."""
        now = self._from.now()
        row = AuditRow(
            at=iso(now),
            action=action,
            actor=who.username,
            owner=owner or (who.owner if isinstance(who, Sender) else who.username),
            address=who.address,
            agent=who.agent,
            file_name=file_name,
            subject=subject,
            expires_at=int(now) + self._keep_seconds,
        )
        return noted(row, self._from.new_id())

    def room(self, owner: Account, more: Load) -> list[Write]:
        """A record for the commit by which an account crosses four fifths of a quota."""
        who = Member(owner.username, owner.id)
        crossed = " ".join(nearly_full(owner, more))
        return [self.of(who, "quota.warning", subject=crossed)] if crossed else []
