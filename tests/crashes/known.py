"""The ids, tokens and codes of a world, by the names that operations use."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.client import Answer, Client
from tests.support.world import Ids

View = dict[str, Any]


@dataclass
class Known:
    """It is restored together with the account of AWS.

    `mails` is where Amazon SES of this world gets mails, the newest last. `ids` replace the
    parameters in the paths of the register's requests. `revision` is that of the plan at the
    beginning. Links, file requests and uploads are as Satchel answered them when it created them.
    """

    mails: list[View]
    ids: Ids
    revision: str = ""
    links: dict[str, View] = field(default_factory=dict)
    requests: dict[str, View] = field(default_factory=dict)
    uploads: dict[str, View] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    def copy(self) -> "Known":
        """A copy that later entries do not change."""
        return replace(
            self,
            links=self.links.copy(),
            requests=self.requests.copy(),
            uploads=self.uploads.copy(),
            codes=self.codes.copy(),
        )


# Sends one request.
Send = Callable[[Client, Known], Answer]
