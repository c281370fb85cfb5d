"""Whose request it is: the peer of the connection, or what a proxy that is trusted says."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

IPV6_SITE_BITS = 64  # what one customer gets: an address of it costs nothing


def _checked(text: str) -> str:
    for part in _parts(text):
        try:
            ipaddress.ip_network(part)
        except ValueError as error:
            raise ValueError(f"must be networks such as 10.0.0.0/8,::1/128 ({error})") from None
    return text


NetworksText: TypeAlias = Annotated[str, AfterValidator(_checked)]


class Networks:
    """Some networks, "10.0.0.0/8,::1/128"; "" is none. ValueError names the wrong one."""

    def __init__(self, text: str) -> None:
        self._networks = tuple(ipaddress.ip_network(part) for part in _parts(_checked(text)))
        self._has = lru_cache(maxsize=65_536)(self._look_up)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: str) -> bool:
        """False for what is no address."""
        return bool(self._networks) and self._has(address)

    def _look_up(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(
            parsed in network for network in self._networks if network.version == parsed.version
        )


def client_address(peer: str, headers: Iterable[tuple[bytes, bytes]], trusted: Networks) -> str:
    """The address of the client: `peer`, unless that is a trusted proxy. Then the last of X-Forwarded-For that is none.

    What stands before that one was written by the client and is not believed.
    """
    if peer not in trusted:
        return peer
    lines = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    for text in reversed([part.strip() for line in lines for part in line.split(",")]):
        if _parsed(text) is None:
            return peer
        if text not in trusted:
            return text
    return peer


@lru_cache(maxsize=65_536)
def site_of(address: str) -> str:
    """What a limit counts as one client: an IPv4 address, or the /64 of an IPv6 one."""
    parsed = _parsed(address)
    if parsed is None or parsed.version == 4:
        return str(parsed or address)
    return str(ipaddress.ip_network((parsed, IPV6_SITE_BITS), strict=False))


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
