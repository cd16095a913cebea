"""What each role may do, and each scope of an API key: the one table. Imports nothing of ours.

Every route says in its signature which power it takes (`deps`), and `Access` compares, once, with
what the caller's role has and, for a key, its scopes.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

# `account` is what people do to their own account: password, sessions, keys, second factor.
Power = Literal["read", "write", "share", "account", "admin"]
Role = Literal["admin", "member", "client"]
Scope = Literal["read", "write", "share", "admin"]
ROLES: Mapping[str, frozenset[Power]] = {
    "admin": frozenset({"read", "write", "share", "account", "admin"}),
    "member": frozenset({"read", "write", "share", "account"}),
    "client": frozenset({"read", "account"}),
}
SCOPES: Mapping[str, frozenset[Power]] = {
    "read": frozenset({"read"}),
    "write": frozenset({"write"}),
    "share": frozenset({"share"}),
    "admin": frozenset({"account", "admin"}),
}


def may(role: str, power: Power | None, scopes: Iterable[str] | None = None) -> bool:
    """Whether a role has a power, and the key that is used as well when it has `scopes`.

    Every role may what takes no power; a role or scope that is not in the table has none.
    """
    if power is None:
        return True
    allowed = scopes is None or any(power in SCOPES.get(each, ()) for each in scopes)
    return allowed and power in ROLES.get(role, ())
