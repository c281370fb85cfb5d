"""Whose request it is."""

import pytest

from meshkit.web.client_address import Networks, client_address, site_of

PROXIES = Networks("10.0.0.0/8, ::1/128")


def forwarded(*lines: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"shop"), *((b"x-forwarded-for", line.encode()) for line in lines)]


def test_without_trusted_proxies_the_header_is_not_believed() -> None:
    assert client_address("10.1.1.1", forwarded("203.0.113.9"), Networks("")) == "10.1.1.1"
    assert client_address("203.0.113.1", forwarded("198.51.100.7"), PROXIES) == "203.0.113.1"


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["6.6.6.6, 203.0.113.9"], "203.0.113.9"),  # what the client wrote itself stands first
        (["6.6.6.6", "203.0.113.9, 10.2.2.2"], "203.0.113.9"),  # two proxies
        (["2001:db8::7"], "2001:db8::7"),
        (["203.0.113.9, nonsense"], "10.1.1.1"),
        (["10.3.3.3"], "10.1.1.1"),
        ([], "10.1.1.1"),
    ],
)
def test_behind_trusted_proxies_the_last_that_is_none_is_the_client(lines: list[str], client: str) -> None:
    assert client_address("10.1.1.1", forwarded(*lines), PROXIES) == client


def test_an_ipv6_customer_is_one_client_whichever_address_it_takes() -> None:
    assert site_of("2001:db8:1:2::1") == site_of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert site_of("2001:db8:1:3::1") != site_of("2001:db8:1:2::1")
    assert site_of("::ffff:203.0.113.9") == site_of("203.0.113.9") == "203.0.113.9"


def test_a_mapped_address_is_in_the_networks_of_its_own_kind() -> None:
    assert "::ffff:10.9.9.9" in PROXIES
    assert "::1" in PROXIES
    assert "203.0.113.9" not in PROXIES
    assert "no address" not in PROXIES


def test_a_wrong_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/33"):
        Networks("10.0.0.0/33")
