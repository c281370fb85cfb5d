"""Routes that recommend: item to item, leaderboards, the general question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from edge.domain.recommendation import Question, ShownRecommendation
from edge.transport import render
from edge.transport.bodies import RecommendationsIn
from edge.transport.bounds import Id
from edge.transport.direct_routes import Handler
from edge.transport.documents import RecommendationOut, body_document, problems
from edge.transport.examples import PRODUCT_ID, RECOMMENDATION_EXAMPLES
from edge.transport.params import FieldsParams, LeaderboardParams, RankingParams
from edge.transport.requests import json_body, query_params, validated
from edge.transport.services import Services

_ITEM_TO_ITEM = {
    "similar": ("similar", "Products like this one", "Nearest by title, description, categories and attributes."),
    "bought-together": ("bought_together", "Bought together with this one", "From orders of all visitors."),
    "viewed-together": ("viewed_together", "Viewed together with this one", "From sessions of all visitors."),
}
_LEADERBOARDS = {
    "popular": ("popular", "Most wanted", "Most wanted over the last weeks."),
    "trending": ("trending", "Rising", "Rising against their own past."),
    "new": ("new", "Newest", "Newest first."),
}
Route: TypeAlias = Callable[..., Awaitable[Response]]
_RESPONSES: dict[int | str, dict[str, Any]] = {200: {"model": RecommendationOut}, **problems(400, 503)}


def recommending_routes(services: Services) -> APIRouter:
    """The router."""
    router = APIRouter(tags=["Recommendations"])
    for path, (strategy, summary, about) in _ITEM_TO_ITEM.items():
        router.add_api_route(
            f"/v1/products/{{product_id:path}}/{path}",
            _item_to_item(services, strategy),
            summary=summary,
            description=f"{about} An unknown product is named in `unknown_ids`; the list is then filled by fallbacks.",
            operation_id=f"get_{strategy}",
            responses=_RESPONSES,
        )
    for path, (strategy, summary, about) in _LEADERBOARDS.items():
        router.add_api_route(
            f"/v1/{path}",
            _leaderboard(services, strategy),
            summary=summary,
            description=f"{about} With `category`, only within it and what is below it.",
            operation_id=f"get_{strategy}",
            responses=_RESPONSES,
        )
    router.add_api_route(
        "/v1/recommendations",
        _general(services),
        methods=["POST"],
        summary="Recommend for any context",
        description=(
            "Everything is optional: an empty object asks for what is good for anyone. Send the `recommendation_id` "
            "and `position` back with the events that follow."
        ),
        operation_id="recommend",
        openapi_extra=body_document(RecommendationsIn, RECOMMENDATION_EXAMPLES),
        responses=_RESPONSES,
    )
    return router


def _item_to_item(services: Services, strategy: str) -> Route:
    async def route(
        request: Request,
        product_id: Annotated[Id, Path(examples=[PRODUCT_ID])],
        params: Annotated[RankingParams, Query()],
    ) -> Response:
        question = _question(strategy, params)._replace(product_id=product_id)
        return await _shared_answer(services, request, question, with_cards=params.fields is None)

    return route


def _leaderboard(services: Services, strategy: str) -> Route:
    async def route(request: Request, params: Annotated[LeaderboardParams, Query()]) -> Response:
        question = _question(strategy, params)._replace(category=params.category)
        return await _shared_answer(services, request, question, with_cards=params.fields is None)

    return route


def general_answer(services: Services) -> Handler:
    """The handler of POST /v1/recommendations."""

    async def handler(request: Request) -> Response:
        with_cards = query_params(FieldsParams, request).fields is None
        question = validated(RecommendationsIn, await json_body(request)).question()
        shown = await services.recommend(question, with_cards=with_cards)
        body = render.recommendation_json(shown, with_cards=with_cards)
        return render.PrivateResponse(body, degraded=shown.degraded, age_s=shown.age_s)

    return handler


def _general(services: Services) -> Route:
    handler = general_answer(services)

    async def route(request: Request, params: Annotated[FieldsParams, Query()]) -> Response:
        return await handler(request)

    return route


def _question(strategy: str, params: RankingParams) -> Question:
    return Question(
        strategy=strategy,
        placement=params.placement,
        filter=params.filter,
        limit=params.limit,
        include=tuple(sorted(set(params.include))),
    )


async def _shared_answer(services: Services, request: Request, question: Question, *, with_cards: bool) -> Response:
    shown = await services.recommend(question, with_cards=with_cards)
    body = render.recommendation_json(shown, with_cards=with_cards)
    if _keepable(services, shown):
        cards = [shown.cards[item.product_id] for item in shown.items]
        services.hot.keep(request.scope, body, cards, epoch=shown.epoch)
    return render.read_response(request, body, degraded=shown.degraded, age_s=shown.age_s)


def _keepable(services: Services, shown: ShownRecommendation) -> bool:
    return (
        not shown.degraded
        and not services.answers.settling
        and all(item.product_id in shown.cards for item in shown.items)
    )
