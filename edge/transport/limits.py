"""Rate limits of the public port, before anything else is done for a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from prometheus_client import Counter

from edge.transport.route_class import RouteClass, class_of
from meshkit.errors import ResourceExhausted, Unauthenticated
from meshkit.limiting.gcra import RateLimiter
from meshkit.limiting.quota import Decision, Quota
from meshkit.web.asgi import send_problem
from meshkit.web.client_address import Networks, client_address, site_of
from meshkit.web.guard import CALLER
from meshkit.web.problem import problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
DECISION = "recomesh.limit"
AUTH_FAILURES = "auth-failures"
PRODUCT_EVENTS = "product-events"

REFUSED = Counter("recomesh_rate_limited_total", "What a rate limit refused", ["limit", "by"])


@dataclass(frozen=True, slots=True)
class LimitRules:
    """Units a minute by route class for a client without a key, where 0 is no limit; `key_factor` times as many for a
    key or token. `product_events`: events of one product an hour. Clients in `exempt` have no limit but their key's."""

    per_minute: Mapping[RouteClass, float]
    auth_failures: float
    product_events: float
    visitor_product_events: float
    key_factor: float
    exempt: Networks
    trusted_proxies: Networks


class Limits:
    """Who may do how much. A client is its key's subject or, without one, its address (of IPv6 the /64)."""

    def __init__(self, limiter: RateLimiter, rules: LimitRules) -> None:
        self._limiter = limiter
        self._exempt = rules.exempt
        self._trusted_proxies = rules.trusted_proxies
        limited = {name: units for name, units in rules.per_minute.items() if units}
        self._anonymous = {name: Quota.per_minute(name, units) for name, units in limited.items()}
        self._keyed = {name: Quota.per_minute(name, units * rules.key_factor) for name, units in limited.items()}
        self._auth = Quota.per_minute(AUTH_FAILURES, rules.auth_failures, window_s=60) if rules.auth_failures else None
        self._by_address, self._by_visitor = (
            Quota(PRODUCT_EVENTS, units, 3600.0) if units else None
            for units in (rules.product_events, rules.visitor_product_events)
        )

    def address(self, scope: Scope) -> str:
        """The client's address, from behind proxies that are trusted."""
        peer = (scope.get("client") or ("", 0))[0]
        if not self._trusted_proxies:
            return peer
        return client_address(peer, scope["headers"], self._trusted_proxies)

    def take(self, scope: Scope, kind: RouteClass, cost: float) -> Decision | None:
        """Uses `cost` units of the client's; None when it has no limit."""
        caller = scope[CALLER]
        if not caller.is_anonymous:
            who, by, quota = caller.subject, "key", self._keyed.get(kind)
        else:
            who, by, quota = scope["client"][0], "address", self._anonymous.get(kind)
            if quota is None or who in self._exempt:
                return None
            who = site_of(who)
        if quota is None:
            return None
        decision = self._limiter.take(f"{kind}:{who}", quota, cost)
        if not decision.allowed:
            REFUSED.labels(kind, by).inc()
        return decision

    def take_events(self, scope: Scope, events: int) -> None:
        """Counts the events of a request. ResourceExhausted: none of them was taken."""
        decision = self.take(scope, RouteClass.EVENTS, events)
        scope[DECISION] = decision
        if decision is not None and not decision.allowed:
            raise refusal(decision)

    def moves_product(self, scope: Scope, visitor_id: str, product_id: str) -> bool:
        """Counts an event of a product; False when one visitor, or an address without a key, sends too many of it."""
        address, anonymous = scope["client"][0], scope[CALLER].is_anonymous
        if anonymous and address in self._exempt:
            return True
        within = self._one_more(self._by_visitor, f"visitor:{visitor_id}:{product_id}")
        if within and anonymous:
            within = self._one_more(self._by_address, f"{site_of(address)}:{product_id}")
        return within

    def _one_more(self, quota: Quota | None, key: str) -> bool:
        if quota is None or self._limiter.take(f"{PRODUCT_EVENTS}:{key}", quota).allowed:
            return True
        REFUSED.labels(PRODUCT_EVENTS, "visitor" if quota is self._by_visitor else "address").inc()
        return False

    def may_present(self, address: str) -> None:
        """ResourceExhausted for an address that presented too many bad credentials."""
        if (decision := self._take_auth(address, 0)) is not None and not decision.allowed:
            REFUSED.labels(AUTH_FAILURES, "address").inc()
            raise refusal(decision)

    def auth_failed(self, address: str) -> None:
        """Counts a bad credential."""
        self._take_auth(address, 1)

    def _take_auth(self, address: str, cost: int) -> Decision | None:
        if self._auth is None or address in self._exempt:
            return None
        return self._limiter.take(f"{AUTH_FAILURES}:{site_of(address)}", self._auth, cost)


def refusal(decision: Decision) -> ResourceExhausted:
    """The error of a refused call."""
    quota = decision.quota
    return ResourceExhausted(
        f"more than {int(quota.limit):,} {quota.name} in {quota.window_s:g} s; try again in "
        f"{decision.retry_after_s:.1f} s",
        retry_after_s=decision.retry_after_s,
    )


class AuthLimitMiddleware:
    """Finds the client's address, and slows down who guesses credentials; around the middleware that checks them."""

    def __init__(self, app: Any, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = self._limits.address(scope)
        scope["client"] = (address, (scope.get("client") or ("", 0))[1])
        if not any(name in (b"authorization", b"x-api-key") for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        self._limits.may_present(address)
        try:
            await self._app(scope, receive, send)
        except Unauthenticated:
            self._limits.auth_failed(address)
            raise


class RateLimitMiddleware:
    """Refuses with 429 what is over a limit, and tells every limited client where it stands."""

    def __init__(self, app: Any, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        kind = class_of(scope["method"], scope["path"]) if scope["type"] == "http" else None
        # Events are counted when the body was read; before, the client is only held against what it used already.
        decision = None if kind is None else self._limits.take(scope, kind, kind is not RouteClass.EVENTS)
        if decision is None:
            await self._app(scope, receive, send)
            return
        scope[DECISION] = decision

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_fields(scope[DECISION])]
            await send(message)

        try:
            if not decision.allowed:
                raise refusal(decision)
            await self._app(scope, receive, answer)
        except ResourceExhausted as error:  # also of events, whose number only their handler knows
            await send_problem(answer, *problem(error))


def _fields(decision: Decision | None) -> list[tuple[bytes, bytes]]:
    if decision is None:
        return []
    return [(b"ratelimit-policy", decision.quota.policy), (b"ratelimit", decision.state)]
