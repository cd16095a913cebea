"""The powers of each role and of each scope of an API key: the one table.

Every route names the power that it requires in its signature (`http.dependencies`). `access.policy`
compares it once with the caller's role and, for an API key, with the key's scopes.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

# `account` changes the caller's own account: password, sessions, keys, second factor. `accounts`
# decides who may log in as whom: roles, administrators' invitations, resets, lost second factors.
Power = Literal["read", "write", "share", "account", "admin", "accounts"]
Role = Literal["admin", "member", "client"]
Scope = Literal["read", "write", "share", "admin", "accounts"]
ROLES: Mapping[str, frozenset[Power]] = {
    "admin": frozenset({"read", "write", "share", "account", "admin", "accounts"}),
    "member": frozenset({"read", "write", "share", "account"}),
    "client": frozenset({"read", "account"}),
}
SCOPES: Mapping[str, frozenset[Power]] = {
    "read": frozenset({"read"}),
    "write": frozenset({"write"}),
    "share": frozenset({"share"}),
    "admin": frozenset({"account", "admin"}),
    "accounts": frozenset({"account", "admin", "accounts"}),
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
    required = {power, IMPLIED.get(power, power)}
    is_in_scope = scopes is None or required <= powers_of(scopes)
    return is_in_scope and required <= ROLES.get(role, set())


def powers_of(scopes: Iterable[str]) -> frozenset[Power]:
    """The powers that scopes allow together."""
    return frozenset[Power]().union(*(SCOPES.get(scope, ()) for scope in scopes))


def lesser(*roles: str) -> str:
    """The role that has the fewest powers; each has all powers of the lesser ones."""
    return min(roles, key=lambda role: len(ROLES.get(role, ())))


def useful(scopes: Iterable[Scope], role: str) -> frozenset[Scope]:
    """The scopes of which a role has a power."""
    return frozenset(scope for scope in scopes if SCOPES[scope] & ROLES.get(role, set()))
