"""The addresses of clients."""

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
