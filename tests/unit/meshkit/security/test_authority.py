"""The certificate authority."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from meshkit.errors import FailedPrecondition, InvalidArgument, NotFound
from meshkit.security.authority import Authority
from meshkit.security.gate import certificate_caller, is_loopback
from meshkit.security.roles import Role

NOW = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path, lambda: NOW)
    made.create()
    return made


def test_a_certificate_says_who_where_and_how_long(authority: Authority, tmp_path: Path) -> None:
    made = authority.issue("catalog", Role.SERVICE, hosts=["catalog.shop.internal", "10.0.0.7"], days=7)
    assert made.uri == "spiffe://recomesh/service/catalog"
    assert set(made.hosts) == {"localhost", "catalog", "catalog.shop.internal", "127.0.0.1", "::1", "10.0.0.7"}
    assert made.not_after == NOW + timedelta(days=7)
    leaf = x509.load_pem_x509_certificate((tmp_path / "catalog.pem").read_bytes())
    root = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    leaf.verify_directly_issued_by(root)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


def test_keys_are_for_their_owner_alone(authority: Authority, tmp_path: Path) -> None:
    authority.issue("edge", Role.SERVICE)
    for file in tmp_path.glob("*_key.pem"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [c.name for c in authority.list()] == ["ca", "edge"]
    assert not [f for f in tmp_path.iterdir() if f.name.startswith(".")]


def test_a_root_is_never_replaced_and_a_renewal_replaces(authority: Authority) -> None:
    with pytest.raises(FailedPrecondition):
        authority.create()
    assert authority.issue("edge", Role.SERVICE).serial != authority.issue("edge", Role.SERVICE).serial


def test_what_is_wrong_is_named(authority: Authority, tmp_path: Path) -> None:
    for field, arguments in {
        "name": {"name": "../edge"},
        "host": {"name": "edge", "hosts": ["a b"]},
        "days": {"name": "edge", "days": 400},
    }.items():
        with pytest.raises(InvalidArgument) as wrong:
            authority.issue(**{"role": Role.SERVICE, **arguments})  # type: ignore[arg-type]
        assert wrong.value.violations[0].field == field
    with pytest.raises(InvalidArgument):
        authority.issue("ca", Role.SERVICE)
    with pytest.raises(NotFound):
        Authority(tmp_path / "nothing").issue("edge", Role.SERVICE)


def test_a_role_follows_from_the_name_in_a_certificate_and_from_no_other() -> None:
    caller = certificate_caller("spiffe://recomesh/service/edge")
    assert caller is not None
    assert (caller.subject, caller.role, caller.speaks_for_others) == ("cert:edge", Role.SERVICE, True)
    for uri in (
        "spiffe://evil/service/edge",
        "spiffe://recomesh/boss/edge",
        "spiffe://recomesh/service/",
        "spiffe://recomesh/service",
        "spiffe://recomesh/service/a b",
        "service/edge",
        "",
    ):
        assert certificate_caller(uri) is None, uri


def test_only_addresses_of_this_machine_are_loopback() -> None:
    for address in ("ipv4:127.0.0.1:1", "ipv4:127.8.9.1:1", "ipv6:%5B::1%5D:1", "ipv6:[::1]:1", "unix:/run/x"):
        assert is_loopback(address), address
    for address in ("ipv4:10.0.0.1:1", "ipv4:1.127.0.0:1", "ipv6:[::2]:1", "ipv6:[::1234]:1", "dns:localhost", ""):
        assert not is_loopback(address), address
