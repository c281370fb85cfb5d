"""Examples of the OpenAPI document. They work as they stand against the demo shop."""

from __future__ import annotations

from typing import Any

PRODUCT_ID = "chef-knife-1"
OTHER_PRODUCT_ID = "knife-sharpener-1"
VISITOR_ID = "visitor-of-the-docs"

RECOMMENDATION_EXAMPLES: dict[str, Any] = {
    "anything": {"summary": "What is good for anyone", "value": {}},
    "product page": {
        "summary": "Beside a product, for a visitor, in stock and under 100",
        "value": {
            "placement": "product-page",
            "visitor_id": VISITOR_ID,
            "context": {"product_id": PRODUCT_ID},
            "filter": "price < 100 AND in_stock = true",
            "limit": 5,
        },
    },
    "basket": {
        "summary": "Goes well with the basket",
        "value": {
            "strategy": "bought_together",
            "context": {"basket": [PRODUCT_ID, OTHER_PRODUCT_ID]},
            "limit": 5,
        },
    },
    "session": {
        "summary": "Fits a session that only the caller knows",
        "value": {
            "strategy": "session",
            "session": [
                {"product_id": PRODUCT_ID, "event": "view_item"},
                {"product_id": OTHER_PRODUCT_ID, "event": "add_to_cart"},
            ],
            "boost": [{"category": "Home > Kitchen", "factor": 1.5}],
            "diversity": 0.3,
            "novelty": 0.2,
            "explain": True,
        },
    },
}

PAGE_EXAMPLES: dict[str, Any] = {
    "product_page": {
        "summary": "Two lists of a product page",
        "value": {
            "visitor_id": "visitor-1",
            "context": {"product_id": PRODUCT_ID},
            "placements": [
                {"placement": "bought_with_this", "strategy": "bought_together", "limit": 4},
                {"placement": "you_may_like", "limit": 8},
            ],
        },
    },
}

EVENT_EXAMPLES: dict[str, Any] = {
    "events": {
        "summary": "Events of the mesh",
        "value": {
            "events": [
                {
                    "event_id": "docs-1",
                    "type": "view_item",
                    "visitor_id": VISITOR_ID,
                    "product_id": PRODUCT_ID,
                },
                {
                    "event_id": "docs-2",
                    "type": "add_to_cart",
                    "visitor_id": VISITOR_ID,
                    "product_id": OTHER_PRODUCT_ID,
                    "quantity": 1,
                    "price": 29.0,
                    "currency": "EUR",
                },
                {"event_id": "docs-3", "type": "search", "visitor_id": VISITOR_ID, "query": "bread knife"},
            ]
        },
    },
    "ga4": {
        "summary": "GA4 e-commerce, Measurement Protocol",
        "value": {
            "client_id": VISITOR_ID,
            "events": [
                {
                    "name": "purchase",
                    "params": {
                        "transaction_id": "docs-order-1",
                        "currency": "EUR",
                        "items": [
                            {
                                "item_id": PRODUCT_ID,
                                "item_list_id": "product-page",
                                "index": 0,
                                "price": 59.0,
                                "quantity": 1,
                            }
                        ],
                    },
                }
            ],
        },
    },
}

PROFILE_EXAMPLES: dict[str, Any] = {
    "taste": {
        "summary": "What the visitor likes and never wants to see",
        "value": {
            "categories": ["Home > Kitchen"],
            "excluded_categories": ["Toys"],
            "price_max": 120.0,
            "currency": "EUR",
        },
    },
    "opt out": {"summary": "No personal answers", "value": {"opted_out": True}},
}
