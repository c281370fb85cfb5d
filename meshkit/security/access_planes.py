"""The rows of the HTTP planes: "METHOD /route" as the framework of the plane writes it → scope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from meshkit.security.roles import Scope
from meshkit.security.row import OPEN, Row

_PRODUCT = "/v1/products/{product_id:path}"
_PROFILE = "/v1/profiles/{visitor_id:path}"
_PROBES: Mapping[str, Row] = {"GET /livez": OPEN, "GET /readyz": OPEN}

EDGE: Final[Mapping[str, Row]] = {
    **_PROBES,
    "GET /v1/products": Scope.PRODUCTS_READ,
    f"GET {_PRODUCT}": Scope.PRODUCTS_READ,
    "GET /v1/categories": Scope.PRODUCTS_READ,
    "GET /v1/search": Scope.PRODUCTS_READ,
    f"GET {_PRODUCT}/similar": Scope.RECOMMENDATIONS_READ,
    f"GET {_PRODUCT}/bought-together": Scope.RECOMMENDATIONS_READ,
    f"GET {_PRODUCT}/viewed-together": Scope.RECOMMENDATIONS_READ,
    "GET /v1/popular": Scope.RECOMMENDATIONS_READ,
    "GET /v1/trending": Scope.RECOMMENDATIONS_READ,
    "GET /v1/new": Scope.RECOMMENDATIONS_READ,
    "POST /v1/recommendations": Scope.RECOMMENDATIONS_READ,
    "GET /v1/recommendations/{recommendation_id}": Scope.RECOMMENDATIONS_READ,
    "GET /v1/recommendations/{recommendation_id}/explanation": Scope.RECOMMENDATIONS_READ,
    "POST /v1/pages": Scope.RECOMMENDATIONS_READ,
    "POST /v1/events": Scope.EVENTS_WRITE,
    f"GET {_PROFILE}": Scope.PROFILES_READ,
    f"PATCH {_PROFILE}": Scope.PROFILES_WRITE,
    f"DELETE {_PROFILE}": Scope.VISITORS_ERASE,
    "GET /v1/freshness": Scope.FRESHNESS_READ,
    "GET /": OPEN,
    "GET /docs": OPEN,
    "GET /openapi.json": OPEN,
    "GET /favicon.ico": OPEN,
    "GET /shop/{name}": OPEN,
    "GET /shop/images/{product_id:path}.svg": Scope.PRODUCTS_READ,
}

EDGE_INTERNAL: Final[Mapping[str, Row]] = {**_PROBES, "GET /metrics": OPEN, "GET /status": OPEN}
WORKERS: Final[Mapping[str, Row]] = EDGE_INTERNAL

_LOGIN: Mapping[str, Row] = {"GET /login": OPEN, "POST /login": OPEN, "POST /logout": OPEN}

CATALOG_ADMIN: Final[Mapping[str, Row]] = {
    **_PROBES,
    **_LOGIN,
    "GET /metrics": OPEN,
    "GET /static": OPEN,
    "GET /docs": Scope.PRODUCTS_READ,
    "GET /openapi.json": Scope.PRODUCTS_READ,
    # Hidden products are no public matter: reading them here takes the right to write them.
    "GET /v1/products": Scope.PRODUCTS_WRITE,
    f"GET {_PRODUCT}": Scope.PRODUCTS_WRITE,
    "POST /v1/products:batchGet": Scope.PRODUCTS_WRITE,
    "GET /v1/search": Scope.PRODUCTS_READ,
    "GET /v1/categories": Scope.PRODUCTS_READ,
    "GET /v1/changes": Scope.PRODUCTS_WRITE,
    "GET /v1/overview": Scope.PRODUCTS_WRITE,
    "POST /v1/products": Scope.PRODUCTS_WRITE,
    "POST /v1/products:delete": Scope.PRODUCTS_WRITE,
    f"PUT {_PRODUCT}": Scope.PRODUCTS_WRITE,
    f"DELETE {_PRODUCT}": Scope.PRODUCTS_WRITE,
    "POST /v1/imports": Scope.PRODUCTS_WRITE,
    "GET /v1/imports": Scope.PRODUCTS_WRITE,
    "GET /v1/imports/{import_id}": Scope.PRODUCTS_WRITE,
    "GET /v1/imports/{import_id}/rejected": Scope.PRODUCTS_WRITE,
    "GET /": Scope.PRODUCTS_WRITE,
    "GET /live": Scope.PRODUCTS_WRITE,
    "GET /products": Scope.PRODUCTS_WRITE,
    "GET /product": Scope.PRODUCTS_WRITE,
    "GET /product/new": Scope.PRODUCTS_WRITE,
    "POST /product": Scope.PRODUCTS_WRITE,
    "POST /product/delete": Scope.PRODUCTS_WRITE,
    "POST /imports": Scope.PRODUCTS_WRITE,
    "GET /imports/{import_id}": Scope.PRODUCTS_WRITE,
    "GET /imports/{import_id}/live": Scope.PRODUCTS_WRITE,
}

PROFILE_ADMIN: Final[Mapping[str, Row]] = {
    **_PROBES,
    **_LOGIN,
    "GET /metrics": OPEN,
    "GET /static/<path:filename>": OPEN,
    "GET /": Scope.SEGMENTS_READ,
    "GET /visitors": Scope.PROFILES_READ,
    "GET /visitor": Scope.PROFILES_READ,
    "POST /visitor": Scope.PROFILES_WRITE,
    "POST /visitor/erase": Scope.VISITORS_ERASE,
    "GET /segments": Scope.SEGMENTS_READ,
    "GET /segment": Scope.SEGMENTS_READ,
    "POST /segment": Scope.SEGMENTS_WRITE,
    "POST /segment/delete": Scope.SEGMENTS_WRITE,
    "GET /segment/check": Scope.SEGMENTS_READ,
}


def _pages(table: str, read: Scope, write: Scope) -> dict[str, Row]:
    """The pages that Django's admin has for a table."""
    own = f"reco_store/{table}/"
    one = own + "<path:object_id>/"
    return {
        f"GET {own}": read,
        f"POST {own}": write,
        f"GET {own}add/": write,
        f"POST {own}add/": write,
        f"GET {one}": read,
        f"GET {one}history/": read,
        f"GET {one}change/": read,
        f"POST {one}change/": write,
        f"GET {one}delete/": write,
        f"POST {one}delete/": write,
    }


RECO_ADMIN: Final[Mapping[str, Row]] = {
    "GET login/": OPEN,
    "POST login/": OPEN,
    "POST logout/": OPEN,
    "GET logout/": OPEN,
    "GET (?P<url>.*)$": OPEN,  # "no such page"
    "GET ": Scope.RULES_READ,
    "GET jsi18n/": Scope.RULES_READ,
    "GET autocomplete/": Scope.RULES_READ,
    "GET password_change/": Scope.RULES_READ,
    "GET password_change/done/": Scope.RULES_READ,
    "GET preview/": Scope.RULES_READ,
    "POST preview/": Scope.RULES_READ,
    "GET ^(?P<app_label>reco_store)/$": Scope.RULES_READ,
    "GET r/<path:content_type_id>/<path:object_id>/": Scope.RULES_READ,
    "GET keys/": Scope.KEYS_MANAGE,
    "POST keys/": Scope.KEYS_MANAGE,
    **_pages("modelrow", Scope.MODELS_READ, Scope.MODELS_WRITE),
    "GET reco_store/modelrow/<path:version>/activate/": Scope.MODELS_WRITE,
    "POST reco_store/modelrow/<path:version>/activate/": Scope.MODELS_WRITE,
    **_pages("trainingrunrow", Scope.MODELS_READ, Scope.MODELS_WRITE),
    "GET reco_store/trainingrunrow/train/": Scope.MODELS_WRITE,
    "POST reco_store/trainingrunrow/train/": Scope.MODELS_WRITE,
    **_pages("rulerow", Scope.RULES_READ, Scope.RULES_WRITE),
    **_pages("rulesetrow", Scope.RULES_READ, Scope.RULES_WRITE),
    "GET reco_store/rulesetrow/<int:version>/roll-back/": Scope.RULES_WRITE,
    "POST reco_store/rulesetrow/<int:version>/roll-back/": Scope.RULES_WRITE,
    **_pages("interactionrow", Scope.EVENTS_READ, Scope.EVENTS_IMPORT),
    **_pages("hourlycountrow", Scope.EVENTS_READ, Scope.EVENTS_IMPORT),
}
