"""Routes around an answer: several placements of a page, the same answer again, why."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from edge.transport import render
from edge.transport.bodies import PageIn
from edge.transport.bounds import Id
from edge.transport.documents import ExplanationOut, PageOut, RecommendationOut, body_document, problems
from edge.transport.examples import PAGE_EXAMPLES
from edge.transport.params import ExplanationParams, FieldsParams
from edge.transport.requests import json_body, validated
from edge.transport.services import Services

RecommendationId = Annotated[Id, Path(description="From an answer.", examples=["5GmZxEqXy1rNnQ0a8tLk"])]
_PRIVATE = {"cache-control": render.PRIVATE}


def page_routes(services: Services) -> APIRouter:
    """The router."""
    router = APIRouter(tags=["Recommendations"])
    page_answers: dict[int | str, dict[str, Any]] = {200: {"model": PageOut}, **problems(400, 503)}

    @router.post(
        "/v1/pages",
        summary="Recommend for several placements of one page",
        operation_id="recommend_page",
        openapi_extra=body_document(PageIn, PAGE_EXAMPLES),
        responses=page_answers,
    )
    async def page(request: Request, params: Annotated[FieldsParams, Query()]) -> Response:
        """One call, one deadline, no product twice: an earlier placement keeps what both want."""
        asked = validated(PageIn, await json_body(request))
        with_cards = params.fields is None
        lists = await services.page(asked.questions(), with_cards=with_cards)
        named = zip((placement.placement for placement in asked.placements), lists, strict=True)
        return Response(render.page_json(named, with_cards=with_cards), headers=_PRIVATE, media_type=render.JSON)

    _again(router, services)
    return router


def _again(router: APIRouter, services: Services) -> None:
    @router.get(
        "/v1/recommendations/{recommendation_id}",
        summary="The same answer again",
        operation_id="get_recommendation",
        responses={200: {"model": RecommendationOut}, **problems(400, 404, 503)},
    )
    async def answer(recommendation_id: RecommendationId, params: Annotated[FieldsParams, Query()]) -> Response:
        """The identical list while the recommender's log has it; also products that are sold out or gone since."""
        with_cards = params.fields is None
        shown = await services.again.answer(recommendation_id, with_cards=with_cards)
        body = render.recommendation_json(shown, with_cards=with_cards)
        return Response(body, headers=_PRIVATE, media_type=render.JSON)

    @router.get(
        "/v1/recommendations/{recommendation_id}/explanation",
        summary="Why a product is, or is not, in an answer",
        operation_id="explain_recommendation",
        responses={200: {"model": ExplanationOut}, **problems(400, 404, 503)},
    )
    async def explanation(
        recommendation_id: RecommendationId, params: Annotated[ExplanationParams, Query()]
    ) -> Response:
        """Its position, what each source thinks of it, and the step that removed it."""
        found = await services.again.explanation(recommendation_id, params.product_id)
        return Response(render.explanation_json(found), headers=_PRIVATE, media_type=render.JSON)
