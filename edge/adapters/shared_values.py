"""Cards and answers as JSON values of the shared cache, and the keys of answers."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime
from typing import Any

import orjson

from edge.domain.card import Card
from edge.domain.recommendation import Question, RankedItem, Recommendation


def encode_card(card: Card) -> object:
    """JSON value."""
    expires = None if math.isinf(card.expires_s) else card.expires_s
    return [card.product_id, card.revision, card.body.decode(), card.sold_out, card.hidden, expires]


def decode_card(value: Any) -> Card:
    """ValueError or TypeError for anything else."""
    product_id, revision, body, sold_out, hidden, expires = value
    if not (type(product_id) is str and type(revision) is int and type(sold_out) is bool and type(hidden) is bool):
        raise TypeError
    orjson.loads(body)
    return Card(product_id, revision, body.encode(), sold_out, hidden, math.inf if expires is None else float(expires))


def question_key(question: Question) -> str:
    """The same for equal questions in every process."""
    return hashlib.blake2b(orjson.dumps(question._asdict()), digest_size=16).hexdigest()


def encode_answer(answer: Recommendation) -> object:
    """JSON value."""
    return [
        answer.recommendation_id,
        [[i.product_id, i.position, i.score, i.source, i.reasons] for i in answer.items],
        answer.unknown_ids,
        answer.fallback_level,
        answer.degraded,
        answer.model_version,
        answer.rules_version,
        answer.generated_at,
    ]


def decode_answer(value: Any) -> Recommendation:
    """ValueError or TypeError for anything else."""
    recommendation_id, items, unknown_ids, fallback_level, degraded, model_version, rules_version, generated_at = value
    return Recommendation(
        str(recommendation_id),
        tuple(RankedItem(str(i), int(n), float(score), str(src), tuple(why)) for i, n, score, src, why in items),
        tuple(map(str, unknown_ids)),
        int(fallback_level),
        bool(degraded),
        str(model_version),
        str(rules_version),
        datetime.fromisoformat(generated_at),
    )
