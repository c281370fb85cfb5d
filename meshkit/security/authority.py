"""A private certificate authority for the mesh: a root key in a file, short-lived certificates for the processes.

A certificate names its process (spiffe://recomesh/<role>/<name>, from which the role follows) and where it may be
reached. Keys are ECDSA P-256; the root lives 5 years and may sign leaves only.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from meshkit.errors import FailedPrecondition, InvalidArgument, NotFound
from meshkit.security.gate import CERTIFICATE_PREFIX
from meshkit.security.roles import Role
from meshkit.security.tls import CA_FILE

CA_KEY_FILE = "ca_key.pem"
CA_LIFE = timedelta(days=5 * 365)
CLOCK_SKEW = timedelta(minutes=5)
MAX_DAYS = 397
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\Z")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is in a certificate file."""

    name: str
    uri: str
    hosts: Sequence[str]
    not_before: datetime
    not_after: datetime
    serial: int


class Authority:
    """The CA in a folder. Every file with a key is made with mode 0600; files are replaced whole."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._folder = folder
        self._clock = clock

    def create(self) -> None:
        """Makes the root. FailedPrecondition if there is one: a second root would cut off everybody."""
        if (self._folder / CA_FILE).exists():
            raise FailedPrecondition(f"{self._folder / CA_FILE} exists; use another folder for another authority")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key, now = ec.generate_private_key(ec.SECP256R1()), self._clock()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Recomesh mesh CA")])
        root = (
            _builder(name, name, key.public_key(), now, CA_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        self._write(CA_KEY_FILE, _private(key), mode=0o600)
        self._write(CA_FILE, root.public_bytes(serialization.Encoding.PEM), mode=0o644)

    def issue(self, name: str, role: Role, *, hosts: Iterable[str] = (), days: int = 30) -> Certificate:
        """Writes `<name>.pem` and `<name>_key.pem`; those that are there are replaced.

        `hosts` are names and addresses at which the process is reached, besides its own name and this machine.
        NotFound without a root; InvalidArgument for a bad name, host or life.
        """
        names = list(dict.fromkeys([*LOCAL_HOSTS, name, *hosts]))
        _check(name, names, days)
        root, root_key = self._root()
        key, now = ec.generate_private_key(ec.SECP256R1()), self._clock()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        uri = f"{CERTIFICATE_PREFIX}{role.value}/{name}"
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        leaf = (
            _builder(subject, root.subject, key.public_key(), now, timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(both), critical=False)
            .add_extension(x509.SubjectAlternativeName(_names(uri, names)), critical=False)
            .sign(root_key, hashes.SHA256())
        )
        self._write(f"{name}_key.pem", _private(key), mode=0o600)
        self._write(f"{name}.pem", leaf.public_bytes(serialization.Encoding.PEM), mode=0o644)
        return read_certificate(self._folder / f"{name}.pem")

    def list(self) -> Sequence[Certificate]:
        """Every certificate in the folder, the root first, then by name."""
        files = sorted(f for f in self._folder.glob("*.pem") if not f.stem.endswith("_key"))
        return [read_certificate(f) for f in sorted(files, key=lambda f: (f.name != CA_FILE, f.name))]

    def _root(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        try:
            root = x509.load_pem_x509_certificate((self._folder / CA_FILE).read_bytes())
            key = serialization.load_pem_private_key((self._folder / CA_KEY_FILE).read_bytes(), None)
        except FileNotFoundError:
            raise NotFound("certificate authority", str(self._folder)) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise FailedPrecondition(f"{self._folder / CA_KEY_FILE} holds no ECDSA key")
        return root, key

    def _write(self, name: str, content: bytes, *, mode: int) -> None:
        made = self._folder / f".{name}.{os.getpid()}"
        made.unlink(missing_ok=True)
        made.touch(mode=mode)
        made.write_bytes(content)
        made.replace(self._folder / name)


def read_certificate(path: Path) -> Certificate:
    """What is in a PEM file."""
    found = x509.load_pem_x509_certificate(path.read_bytes())
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return Certificate(
        name=path.stem,
        uri=uris[0] if uris else "",
        hosts=(*names.get_values_for_type(x509.DNSName), *addresses),
        not_before=found.not_valid_before_utc,
        not_after=found.not_valid_after_utc,
        serial=found.serial_number,
    )


def _check(name: str, hosts: Iterable[str], days: int) -> None:
    if not _NAME.match(name) or name == "ca":
        raise InvalidArgument.of("name", "must be 1 to 63 of a-z 0-9 - and not ca")
    for host in hosts:
        if not _is_address(host) and not _HOST.match(host):
            raise InvalidArgument.of("host", f"{host!r} is neither a host name nor an address")
    if not 1 <= days <= MAX_DAYS:
        raise InvalidArgument.of("days", f"must be 1 to {MAX_DAYS}")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _names(uri: str, hosts: Iterable[str]) -> list[x509.GeneralName]:
    places: list[x509.GeneralName] = [
        x509.IPAddress(ipaddress.ip_address(host)) if _is_address(host) else x509.DNSName(host) for host in hosts
    ]
    return [x509.UniformResourceIdentifier(uri), *places]


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + life)
    )


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign,
        crl_sign=sign,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    pkcs8, pem = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    return key.private_bytes(pem, pkcs8, serialization.NoEncryption())
