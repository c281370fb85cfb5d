"""Answers as bytes: JSON, entity tags, cache headers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

import orjson
from fastapi import Request
from fastapi.responses import Response

from edge.domain.card import Card
from edge.domain.events import EventVerdict
from edge.domain.profile import ErasureReceipt, Preferences
from edge.domain.recommendation import Explanation, ShownRecommendation

PUBLIC = "public, max-age=1, must-revalidate"  # a sold-out product must leave every answer within 2 s
PRIVATE = "private, no-store"
JSON = "application/json"
_OPTIONS = orjson.OPT_UTC_Z
_PRIVATE_HEADER, _JSON_HEADER = (b"cache-control", PRIVATE.encode()), (b"content-type", JSON.encode())


def recommendation_json(shown: ShownRecommendation, *, with_cards: bool) -> bytes:
    """The answer of every route that recommends."""
    return json_bytes(_recommendation(shown, with_cards))


def page_json(placements: Iterable[tuple[str, ShownRecommendation]], *, with_cards: bool) -> bytes:
    """The lists of a page by name, in order."""
    lists = [{"placement": name, **_recommendation(shown, with_cards)} for name, shown in placements]
    return json_bytes({"placements": lists})


def explanation_json(explanation: Explanation) -> bytes:
    """Why a product is, or is not, in an answer."""
    return json_bytes(asdict(explanation))


def _recommendation(shown: ShownRecommendation, with_cards: bool) -> dict[str, object]:
    answer = shown.answer
    items: list[dict[str, object]] = [
        {"product_id": product_id, "position": position, "score": score, "source": source, "reasons": reasons}
        for product_id, position, score, source, reasons in shown.items
    ]
    if with_cards:
        for line, item in zip(items, shown.items, strict=True):
            card = shown.cards.get(item.product_id)
            line["product"] = None if card is None else orjson.Fragment(card.body)
    return {
        "recommendation_id": answer.recommendation_id,
        "items": items,
        "unknown_ids": answer.unknown_ids,
        "fallback_level": answer.fallback_level,
        "degraded": shown.degraded,
        "model_version": answer.model_version,
        "rules_version": answer.rules_version,
        "generated_at": answer.generated_at,
    }


def products_json(cards: Iterable[Card], next_page_token: str = "") -> bytes:
    """A list of products."""
    return json_bytes({"products": [orjson.Fragment(card.body) for card in cards], "next_page_token": next_page_token})


def verdicts_json(verdicts: Sequence[EventVerdict]) -> bytes:
    """One verdict per event; `reason` only where there is one."""
    lines = []
    for verdict in verdicts:
        line = {"event_id": verdict.event_id, "verdict": verdict.verdict}
        if verdict.reason:
            line["reason"] = verdict.reason
        lines.append(line)
    return json_bytes({"verdicts": lines})


def preferences_json(preferences: Preferences) -> bytes:
    """Preferences of a visitor."""
    return json_bytes(asdict(preferences))


def receipt_json(receipt: ErasureReceipt) -> bytes:
    """The receipt of an erasure."""
    return json_bytes(asdict(receipt))


def json_bytes(value: object) -> bytes:
    """JSON in UTF-8; times in RFC 3339 with Z."""
    return orjson.dumps(value, option=_OPTIONS)


def etag_of(body: bytes) -> str:
    """A strong entity tag."""
    return f'"{hashlib.blake2b(body, digest_size=10).hexdigest()}"'


def etag_matches(header: str, etag: str) -> bool:
    """True if an If-None-Match header names the tag (RFC 9110, 13.1.2)."""
    return header.strip() == "*" or any(tag.strip().removeprefix("W/") == etag for tag in header.split(","))


class PrivateResponse(Response):
    """An answer to one caller, as JSON. Its headers are bytes from the beginning: starlette makes them from text anew
    each time, which takes longer than all else that sends an answer."""

    def __init__(self, body: bytes, *, degraded: bool, age_s: float | None) -> None:
        self.status_code, self.background, self.body = 200, None, body
        headers = [_PRIVATE_HEADER]
        if degraded:
            headers.append((b"recomesh-degraded", b"true"))
        if age_s is not None:
            headers.append((b"age", b"%d" % round(age_s)))
        self.raw_headers = [*headers, (b"content-length", b"%d" % len(body)), _JSON_HEADER]


def read_response(
    request: Request,
    body: bytes,
    *,
    cache: str = PUBLIC,
    degraded: bool = False,
    age_s: float | None = None,
    media_type: str = JSON,
    extra: Mapping[str, str] | None = None,
) -> Response:
    """The answer to a read: 200 with an entity tag, or 304. Degraded answers are marked and never stored by caches."""
    etag = etag_of(body)
    headers = {"etag": etag, "cache-control": "no-store" if degraded else cache, **(extra or {})}
    if degraded:
        headers["recomesh-degraded"] = "true"
    if age_s is not None:
        headers["age"] = str(round(age_s))
    if etag_matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)
