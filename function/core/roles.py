"""The powers of each role and of each scope of an API key: the one table.

Every route names the power that it requires in its signature (`http.dependencies`). `access.policy`
compares it once with the caller's role and, for an API key, with the key's scopes.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

# `account` changes the caller's own account: password, sessions, keys, second factor.
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
# To share a file is to read it: a link of one's own shows everything.
IMPLIED: Mapping[Power, Power] = {"share": "read"}


def may(role: str, power: Power | None, scopes: Iterable[str] | None = None) -> bool:
    """Whether a role allows a power and, for an API key, whether its `scopes` allow it too.

    A route that requires no power (None) is open to every role. A role or scope that is not in the
    table has no power.
    """
    if power is None:
        return True
    given = None if scopes is None else set[Power]().union(*(SCOPES.get(s, ()) for s in scopes))
    required = {power, IMPLIED.get(power, power)}
    return required <= ROLES.get(role, set()) and (given is None or required <= given)


def lesser(*roles: str) -> str:
    """The role that has the fewest powers; each has all powers of the lesser ones."""
    return min(roles, key=lambda role: len(ROLES.get(role, ())))


def useful(scopes: Iterable[Scope], role: str) -> frozenset[Scope]:
    """The scopes of which a role has a power."""
    return frozenset(scope for scope in scopes if SCOPES[scope] & ROLES.get(role, set()))
