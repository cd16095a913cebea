"""What is stored of a secret token, and whose failed attempts are counted together."""

import hashlib
import ipaddress


def network(address: str) -> str:
    """The network whose attempts are counted together: an IPv4 address, or an IPv6 /64.

    A provider gives one IPv6 customer a /64 at least (RFC 6177).
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if ip.version == 4:  # noqa: PLR2004
        return str(ip)
    # An IPv4-mapped address (RFC 4291, section 2.5.5.2): its /64 would be all of IPv4.
    return str(ip.ipv4_mapped or ipaddress.ip_network((int(ip), 64), strict=False))


def token_hash(token: str) -> str:
    """The SHA-256 that is stored of a token, as hexadecimal.

    A token is 256 random bits, so it needs neither salt nor a slow hash.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def id_of(token: str) -> str:
    """The id of a file request: the SHA-256 of its token, as hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()
