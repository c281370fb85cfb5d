"""Roles, and the scopes each of them holds.

public        reads what any shopper may see
shop          a shop's own pages and back end: events, profiles, erasure
merchandiser  products, rules, segments
operator      everything
service       a process of the mesh; may speak for the caller that it works for
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a caller is."""

    PUBLIC = "public"
    SHOP = "shop"
    MERCHANDISER = "merchandiser"
    OPERATOR = "operator"
    SERVICE = "service"


def role_named(text: str) -> Role | None:
    """The role of that name, if there is one."""
    return next((role for role in Role if role.value == text), None)


class Scope(StrEnum):
    """One right. A row of the access table asks for exactly one."""

    PRODUCTS_READ = "products:read"
    PRODUCTS_WRITE = "products:write"
    RECOMMENDATIONS_READ = "recommendations:read"
    FRESHNESS_READ = "freshness:read"
    EVENTS_WRITE = "events:write"
    EVENTS_IMPORT = "events:import"
    EVENTS_READ = "events:read"
    PROFILES_READ = "profiles:read"
    PROFILES_WRITE = "profiles:write"
    VISITORS_ERASE = "visitors:erase"
    SEGMENTS_READ = "segments:read"
    SEGMENTS_WRITE = "segments:write"
    RULES_READ = "rules:read"
    RULES_WRITE = "rules:write"
    MODELS_READ = "models:read"
    MODELS_WRITE = "models:write"
    CHANGES_READ = "changes:read"
    KEYS_MANAGE = "keys:manage"
    MESH_INSPECT = "mesh:inspect"


_PUBLIC = frozenset({Scope.PRODUCTS_READ, Scope.RECOMMENDATIONS_READ, Scope.FRESHNESS_READ})
_SHOP = _PUBLIC | {Scope.EVENTS_WRITE, Scope.PROFILES_READ, Scope.PROFILES_WRITE, Scope.VISITORS_ERASE}
_MERCHANDISER = _PUBLIC | {
    Scope.PRODUCTS_WRITE,
    Scope.SEGMENTS_READ,
    Scope.SEGMENTS_WRITE,
    Scope.RULES_READ,
    Scope.RULES_WRITE,
    Scope.MODELS_READ,
}
_OPERATOR = frozenset(Scope)

ROLE_SCOPES: Mapping[Role, frozenset[Scope]] = {
    Role.PUBLIC: _PUBLIC,
    Role.SHOP: _SHOP,
    Role.MERCHANDISER: _MERCHANDISER,
    Role.OPERATOR: _OPERATOR,
    Role.SERVICE: _OPERATOR - {Scope.KEYS_MANAGE, Scope.RULES_WRITE, Scope.SEGMENTS_WRITE},
}
