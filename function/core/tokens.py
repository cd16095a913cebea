"""Who guesses at passwords: failures are counted, and too many are not listened to.

A name may be tried ten times from one address in a quarter of an hour, and an address may fail
fifty times in all; a name that does not exist weighs double, so lists of names end sooner, though
whoever counts can tell such a name by it. The counts belong to the address, so nobody can lock
another person out from elsewhere, and they end with the window.
"""

import hashlib
import ipaddress


def network(address: str) -> str:
    """Whose tries are counted together: an IPv4 address, or the /64 that one IPv6 customer gets."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if ip.version == 4:  # noqa: PLR2004
        return str(ip)
    # An IPv4 address in IPv6's clothes: by its /64 it would be all of IPv4.
    return str(ip.ipv4_mapped or ipaddress.ip_network((int(ip), 64), strict=False))


def token_hash(token: str) -> str:
    """What is stored of a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def id_of(token: str) -> str:
    """What is stored of a token, and names its request: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
