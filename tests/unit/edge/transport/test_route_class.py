"""Which limit a request counts against."""

import pytest

from edge.transport.route_class import class_of


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/v1/products/mug", "read"),
        ("GET", "/v1/search", "read"),
        ("GET", "/", "read"),
        ("GET", "/.env", "read"),
        ("GET", "/v1/products/a/b/similar", "recommend"),
        ("GET", "/v1/popular", "recommend"),
        ("POST", "/v1/recommendations", "recommend"),
        ("POST", "/v1/events", "events"),
        ("PATCH", "/v1/profiles/v", "write"),
        ("DELETE", "/v1/profiles/v", "write"),
        ("POST", "/wp-login.php", "write"),
        ("GET", "/readyz", None),
    ],
)
def test_every_request_but_a_probe_has_a_class(method: str, path: str, kind: str | None) -> None:
    assert class_of(method, path) == kind
