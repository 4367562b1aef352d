"""Which addresses a connection may go to.

A server that a visitor names could be a machine inside this one's network (server-side request forgery, OWASP). So its
URL is read strictly, and every address that its name resolves to must be on the open internet; the connection then
goes to one of the very addresses that were checked, so that a second lookup cannot give another one (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from core.errors import InvalidInput

MAX_URL = 150
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NOT_OPEN = (
    ipaddress.IPv6Network("3fff::/20"),
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv4Network("192.88.99.0/24"),
    ipaddress.IPv4Network("168.63.129.16/32"),
    ipaddress.IPv4Network("169.254.0.0/16"),
    ipaddress.IPv4Network("100.64.0.0/10"),
)
"""Documentation, protocol assignments (Oracle's metadata, 192.0.0.192, among them) and the 6to4 relays (IANA's
special-purpose registries), which Python's is_global lets through in some versions; and where a machine in a cloud asks
about itself: Azure's 168.63.129.16, which looks public, 169.254.169.254, and Alibaba's 100.100.100.200. Those of IPv6,
such as AWS's fd00:ec2::254, lie outside _UNICAST."""

Rule = Callable[[str, list[str]], None]
"""Given a host name and all its addresses; raises PermissionError where one of them may not be called."""


def checked_url(text: str, *, local: bool) -> str:
    """A base URL as it will be called: scheme, host, port and path, without a slash at the end.

    Args:
        local: Diptych runs on its only visitor's machine, so that plain http to that machine is fine.

    Raises:
        InvalidInput: not https, with user, query or fragment, a port below 1024 other than 443, or too long.
    """
    text = text.strip()
    if len(text) > MAX_URL or not text.isprintable() or not text.isascii() or " " in text or "\\" in text:
        raise InvalidInput(f"The URL must be plain ASCII without spaces, at most {MAX_URL} characters.")
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError:
        raise InvalidInput("This is not a URL. Write it like https://host.example/v1.") from None
    loopback = local and host in {"localhost", "127.0.0.1", "::1"}
    if url.scheme != "https" and not (url.scheme == "http" and loopback):
        raise InvalidInput("The URL must begin with https://; plain http is only for a server on your own machine.")
    if not host or url.username is not None or url.password is not None or url.query or url.fragment or "#" in text:
        raise InvalidInput("The URL must be scheme, host and path only, like https://host.example/v1.")
    if port is not None and port != 443 and port < 1024:
        raise InvalidInput("The port must be 443, or 1024 and above.")
    shown = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{shown}{'' if port is None else f':{port}'}{url.path.rstrip('/')}"


def resolved(host: str, port: int) -> list[str]:
    """Every address that a name has now, as text.

    Raises:
        OSError: it has none.
    """
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


def anywhere(host: str, addresses: list[str]) -> None:
    """The rule for servers of our own table, and of the deployment: no rule."""


def public_only(host: str, addresses: list[str]) -> None:
    """The rule for a server that a visitor named: on the open internet, with every one of its addresses."""
    if not addresses or not all(is_public(address) for address in addresses):
        raise PermissionError(f"{host[:80]} is not on the open internet")


def loopback_only(host: str, addresses: list[str]) -> None:
    """The rule for plain http on a local run: this machine, with every address."""
    if not addresses or not all(ipaddress.ip_address(address).is_loopback for address in addresses):
        raise PermissionError(f"{host[:80]} is not this machine")


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet, also when it is wrapped in an IPv6 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else ip.ipv4_mapped
        inner = inner or ip.sixtofour
        if inner is not None:
            return is_public(str(inner))
        if ip.teredo is not None or ip not in _UNICAST:
            return False
    special = any(ip in network for network in _NOT_OPEN if network.version == ip.version)
    return ip.is_global and not ip.is_multicast and not special
