"""`recomesh recommend` and `recomesh similar`: ask, and see why."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer
from recomesh.catalog.v1 import catalog_service_pb2
from recomesh.reco.v1 import reco_pb2, reco_service_pb2

from meshkit.errors import InvalidArgument, RecomeshError
from meshkit.product_card import card_from_proto
from meshkit.settings import MeshSettings, load
from recomesh_cli import console
from recomesh_cli.failures import CommandFailed
from recomesh_cli.mesh_client import MeshClient, ask, open_mesh
from recomesh_cli.options import AsJson


class StrategyName(StrEnum):
    """Strategies by name."""

    AUTO = "auto"
    SIMILAR = "similar"
    BOUGHT_TOGETHER = "bought_together"
    VIEWED_TOGETHER = "viewed_together"
    SESSION = "session"
    PERSONAL = "personal"
    POPULAR = "popular"
    TRENDING = "trending"
    NEW = "new"


Limit = Annotated[int, typer.Option(min=1, max=100, help="Products to show.")]
Filter = Annotated[str, typer.Option(help="AIP-160, such as 'price < 50 AND category:\"Kitchen\"'.")]


def recommend(
    visitor: Annotated[str, typer.Option(help="Brings in the visitor's session, history and preferences.")] = "",
    product: Annotated[str, typer.Option(help="Product on the page.")] = "",
    basket: Annotated[list[str] | None, typer.Option(help="Product in the basket; repeatable.")] = None,
    category: Annotated[str, typer.Option(help="Category on the page.")] = "",
    query: Annotated[str, typer.Option(help="What the visitor searched for.")] = "",
    strategy: Annotated[StrategyName, typer.Option(help="How candidates are found.")] = StrategyName.AUTO,
    filter: Filter = "",
    limit: Limit = 10,
    diversity: Annotated[
        float | None, typer.Option(min=0, max=1, help="0: by score alone; 1: as varied as possible.")
    ] = None,
    novelty: Annotated[
        float | None, typer.Option(min=0, max=1, help="0: by score alone; 1: the rarest candidates first.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what the mesh recommends in a context, and why.

    Example: `recomesh recommend --product 85123A --basket 22423 --filter "price < 10"`
    """
    where = reco_pb2.RecommendationContext(product_id=product, basket=basket or [], category=category, query=query)
    request = reco_service_pb2.RecommendRequest(
        strategy=reco_pb2.Strategy.Value(f"STRATEGY_{strategy.name}"),
        visitor_id=visitor,
        context=where,
        filter=filter,
        limit=limit,
        diversity=diversity,
        novelty=novelty,
        explain=True,
    )
    with open_mesh(load(MeshSettings)) as mesh:
        answer = _ask(mesh, request)
        cards = _cards(mesh, [item.product_id for item in answer.items])
    if as_json:
        console.write_json(_as_dict(answer, cards))
    else:
        _show(answer, cards)


def similar(
    product_id: Annotated[str, typer.Argument(help="Any product of the catalog.")],
    filter: Filter = "",
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """Show the products most like one.

    Example: `recomesh similar 85123A --limit 5`
    """
    request = reco_service_pb2.RecommendRequest(
        strategy=reco_pb2.STRATEGY_SIMILAR,
        context=reco_pb2.RecommendationContext(product_id=product_id),
        filter=filter,
        limit=limit,
        explain=True,
    )
    with open_mesh(load(MeshSettings)) as mesh:
        answer = _ask(mesh, request)
        if product_id in answer.unknown_ids:
            raise CommandFailed(f"product {product_id!r} is not in the catalog; `recomesh import products` adds some")
        cards = _cards(mesh, [product_id, *(item.product_id for item in answer.items)])
    if as_json:
        console.write_json(_as_dict(answer, cards))
        return
    like = cards.get(product_id, {})
    console.out().print(f"Like [bold]{console.escaped(product_id)}[/] {console.escaped(str(like.get('title', '')))}\n")
    _show(answer, cards)


def _ask(mesh: MeshClient, request: reco_service_pb2.RecommendRequest) -> reco_service_pb2.RecommendResponse:
    answer: reco_service_pb2.RecommendResponse = ask(mesh.recommendations.Recommend, request, "reco")
    return answer


def _cards(mesh: MeshClient, product_ids: list[str]) -> Mapping[str, dict[str, Any]]:
    """Product cards by id; none while the catalog is away, since ids and reasons still tell something."""
    if not product_ids:
        return {}
    request = catalog_service_pb2.BatchGetProductsRequest(product_ids=product_ids)
    try:
        products = ask(mesh.catalog.BatchGetProducts, request, "catalog").products
    except InvalidArgument:
        raise
    except RecomeshError as error:
        console.err().print(f"[yellow]no titles and prices: {console.escaped(error.message)}[/]")
        return {}
    return {product.product_id: dict(card_from_proto(product)) for product in products}


def _as_dict(answer: reco_service_pb2.RecommendResponse, cards: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "recommendation_id": answer.recommendation_id,
        "items": [
            {
                "product_id": item.product_id,
                "position": item.position,
                "score": item.score,
                "source": item.source,
                "reasons": list(item.reasons),
                "product": cards.get(item.product_id),
            }
            for item in answer.items
        ],
        "unknown_ids": list(answer.unknown_ids),
        "fallback_level": answer.fallback_level,
        "degraded": answer.degraded,
        "model_version": answer.model_version,
        "rules_version": answer.rules_version,
    }


def _show(answer: reco_service_pb2.RecommendResponse, cards: Mapping[str, dict[str, Any]]) -> None:
    out = console.out()
    rows = []
    for item in answer.items:
        card = cards.get(item.product_id, {})
        price = card.get("price")
        shown = card.get("sale_price", price)
        cost = "" if shown is None else f"{shown:,.2f} {card.get('currency') or ''}"
        title, reasons = str(card.get("title", "")), ", ".join(item.reasons)
        rows.append((str(item.position), item.product_id, title, cost, f"{item.score:.3f}", item.source, reasons))
    columns = ("#", "id", "title", "price", "score", "source", "reasons")
    out.print(console.table("", columns, rows, right=("#", "price", "score")) if rows else "No product fits.")
    if answer.unknown_ids:
        out.print(f"[yellow]Not in the catalog: {console.escaped(', '.join(answer.unknown_ids))}[/]")
    level = f", fallback level {answer.fallback_level}" if answer.fallback_level else ""
    degraded = ", degraded: a part that should have helped is away" if answer.degraded else ""
    model = answer.model_version or "none trained yet (`recomesh train` makes one)"
    out.print(f"[dim]model {console.escaped(model)}{level}{degraded}; recommendation {answer.recommendation_id}[/]")
