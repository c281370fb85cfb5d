"""Gates over keys in memory."""

from dataclasses import dataclass, field

from meshkit.security.audit import Audit, MemoryAuditTrail
from meshkit.security.gate import Gate, Tokens
from meshkit.security.key_ring import KeyRing
from meshkit.security.manage_keys import ManageKeys
from meshkit.security.memory_key_store import MemoryKeyStore
from meshkit.security.roles import Role
from meshkit.security.rpc_guard import RpcGuard

PEPPER = b"pepper of tests"


@dataclass
class Keys:
    """Keys that tests make; what they make is known at once."""

    store: MemoryKeyStore = field(default_factory=MemoryKeyStore)
    trail: MemoryAuditTrail = field(default_factory=MemoryAuditTrail)

    def __post_init__(self) -> None:
        self.manage = ManageKeys(self.store, PEPPER, Audit(self.trail))
        self.ring = KeyRing(self.store, lambda: PEPPER)
        self.ring.refresh()

    def make(self, role: Role, name: str = "") -> str:
        text = self.manage.create(name or f"test-{len(self.store.all())}", role, by="test").text
        self.ring.refresh()
        return text


def gate(
    keys: Keys | None = None,
    *,
    tokens: Tokens | None = None,
    visitor: Role | None = Role.SHOP,
    trust_loopback: bool = True,
) -> Gate:
    """As on a laptop unless told otherwise."""
    keys = keys or Keys()
    return Gate(
        keys.ring, keys.manage, Audit(keys.trail), tokens=tokens, visitor=visitor, trust_loopback=trust_loopback
    )


def local_guard() -> RpcGuard:
    """Trusts this machine, as by default."""
    return RpcGuard(gate())
