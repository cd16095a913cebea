"""The addresses of clients: the one that counts, behind proxies too, and its network."""

import hmac
import ipaddress
from dataclasses import replace

from function.base import Base
from function.core.models import HttpRequest
from function.core.tokens import token_hash

SECRET_FIELD = "x-origin-secret"  # noqa: S105 - the name of a header field
VIEWER_ADDRESS = "cloudfront-viewer-address"
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class ClientAddresses:
    """Finds the address of a client: the source of the connection, or what a trusted proxy says.

    A client can send any header field. So `X-Forwarded-For` is believed only as far as the setting
    `trustedProxies` names who wrote it, and `CloudFront-Viewer-Address` only beside the secret that
    the setting `originSecret` names. Without these settings no header changes the address.
    """

    def __init__(self, base: Base) -> None:
        names = base.settings.trusted_proxies
        self._proxies = [ipaddress.ip_network(each) for each in names.split(",") if each]
        self._secret_hash = base.settings.origin_secret_hash

    def resolve(self, request: HttpRequest) -> HttpRequest:
        """The request with the address of its client."""
        if not (self._proxies or self._secret_hash):
            return request
        address = self._viewer(request) or self._first_untrusted(request)
        return replace(request, address=address)

    def _viewer(self, request: HttpRequest) -> str | None:
        """What CloudFront says, if the request brings the secret that only it adds."""
        secret = request.headers.get(SECRET_FIELD, "")
        if not self._secret_hash or not hmac.compare_digest(token_hash(secret), self._secret_hash):
            return None
        viewer = _parse(request.headers.get(VIEWER_ADDRESS, ""))
        return str(viewer) if viewer else None

    def _first_untrusted(self, request: HttpRequest) -> str:
        """The last hop that is no trusted proxy: each proxy adds the address that it saw."""
        address = request.address
        hops = [address, *reversed(request.headers.get("x-forwarded-for", "").split(","))]
        for hop in map(_parse, hops):
            if hop is None:
                break
            address = str(hop)
            if not any(hop in proxies for proxies in self._proxies):
                break
        return address


def _parse(text: str) -> IpAddress | None:
    """The address in a text, which may end in a port; None where there is none."""
    text = text.strip()
    host, _, _ = text.rpartition(":")
    for candidate in (text, host):
        try:
            ip = ipaddress.ip_address(candidate.removeprefix("[").removesuffix("]"))
        except ValueError:
            continue
        return getattr(ip, "ipv4_mapped", None) or ip
    return None


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
