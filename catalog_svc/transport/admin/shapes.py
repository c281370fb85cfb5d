"""JSON shapes of the plane: what it answers, what it reads, and how OpenAPI describes both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import Request

from catalog_svc.domain.model import CatalogCounts, Change, ImportJob, Product, Rejection, Written
from catalog_svc.transport.mapping import product_to_proto
from meshkit.errors import FieldViolation, InvalidArgument
from meshkit.product_card import AVAILABILITY_VALUES, card_from_proto

Json = dict[str, object]

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_TIME = {"type": "string", "format": "date-time"}
_AMOUNT = {"type": ["number", "null"], "minimum": 0}
CARD_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["product_id", "title"],
    "properties": {
        "product_id": {**_TEXT, "description": "1 to 128 bytes"},
        "title": {**_TEXT, "maxLength": 500},
        "description": {**_TEXT, "maxLength": 20_000},
        "categories": {**_TEXTS, "maxItems": 20, "description": 'Paths: "Home > Kitchen"'},
        "brand": {**_TEXT, "maxLength": 200},
        "price": _AMOUNT,
        "sale_price": _AMOUNT,
        "currency": {"type": ["string", "null"], "description": "ISO 4217; required with a price"},
        "availability": {**_TEXT, "enum": list(AVAILABILITY_VALUES)},
        "group_id": _TEXT,
        "image_url": _TEXT,
        "url": _TEXT,
        "gtin": _TEXT,
        "attributes": {"type": "object", "additionalProperties": _TEXT},
        "tags": _TEXTS,
        "created_at": _TIME,
        "expires_at": _TIME,
        "hidden": {"type": "boolean"},
        "updated_at": {**_TIME, "readOnly": True},
        "revision": {"type": "integer", "readOnly": True},
    },
    "example": {
        "product_id": "mug-1",
        "title": "Blue mug",
        "categories": ["Home > Kitchen > Mugs"],
        "brand": "Acme",
        "price": 9.5,
        "currency": "EUR",
        "availability": "in_stock",
    },
}


def body_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads its JSON body with `json_body`."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def list_schema(field: str, items: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object with one list of 1 to 1,000."""
    array = {"type": "array", "items": items, "minItems": 1, "maxItems": 1_000}
    return {"type": "object", "additionalProperties": False, "required": [field], "properties": {field: array}}


async def json_body(request: Request) -> object:
    """The body as JSON. InvalidArgument if it is not."""
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise InvalidArgument.of("body", f"must be JSON in UTF-8: {str(error).split(': line')[0]}") from None


def list_of(body: object, field: str) -> list[object]:
    """The one list of an object body. InvalidArgument names what else it holds, or lacks."""
    if not isinstance(body, dict):
        raise InvalidArgument.of("body", f'must be an object: {{"{field}": […]}}')
    unknown = [FieldViolation(name[:100], f"unknown field; only {field} is known") for name in body if name != field]
    if unknown:
        raise InvalidArgument(unknown)
    value = body.get(field)
    if not isinstance(value, list):
        raise InvalidArgument.of(field, "must be a list")
    return value


def card_of(product: Product) -> Json:
    """The card of a product, with its output-only fields."""
    message = product_to_proto(product)
    updated_at = product.updated_at.isoformat().replace("+00:00", "Z") if product.updated_at else None
    return {**card_from_proto(message), "updated_at": updated_at, "revision": product.revision}


def change_of(change: Change) -> Json:
    """An entry of the change feed."""
    return {
        "revision": change.revision,
        "product_id": change.product_id,
        "kind": "deleted" if change.product is None else "upserted",
        "changed_at": change.changed_at.isoformat().replace("+00:00", "Z"),
        "product": None if change.product is None else card_of(change.product),
    }


def counts_of(counts: CatalogCounts, categories: int) -> Json:
    """The catalog in numbers."""
    return {
        "products": counts.products,
        "visible": counts.visible,
        "hidden": counts.hidden,
        "out_of_stock": counts.out_of_stock,
        "expired": counts.expired,
        "categories": categories,
        "revision": counts.revision,
    }


def written_of(written: Written, rejected: Sequence[Rejection]) -> Json:
    """What became of a batch."""
    return {
        "created": written.created,
        "updated": written.updated,
        "unchanged": written.unchanged,
        "rejected": [
            {
                "index": r.index,
                "product_id": r.product_id,
                "field": f"products[{r.index}].{r.field}",
                "reason": r.reason,
            }
            for r in sorted(rejected, key=lambda r: r.index)
        ],
        "revision": written.revision,
    }


def job_of(job: ImportJob) -> Json:
    """An import job; `progress` is a share from 0 to 1."""
    finished_at = job.finished_at.isoformat().replace("+00:00", "Z") if job.finished_at else None
    return {
        "import_id": job.job_id,
        "filename": job.filename,
        "format": job.format,
        "state": job.state.value,
        "progress": round(job.done_bytes / job.total_bytes, 4) if job.total_bytes else float(bool(job.finished_at)),
        "read": job.read,
        "created": job.created,
        "updated": job.updated,
        "unchanged": job.unchanged,
        "rejected": job.rejected,
        "error": job.error,
        "started_at": job.started_at.isoformat().replace("+00:00", "Z"),
        "finished_at": finished_at,
    }
