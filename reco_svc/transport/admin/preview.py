"""The preview page: any question, its ranked answer with cards and reasons, which rules acted, why (not) a product."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from meshkit.errors import InvalidArgument, RecomeshError
from reco_svc.domain.model import Explanation, RankedItem, Recommendation
from reco_svc.orm.models import RuleRow
from reco_svc.transport.admin.middleware import plane_of
from reco_svc.transport.admin.plane import AdminPlane
from reco_svc.transport.admin.preview_form import PreviewForm
from reco_svc.transport.admin.rule_words import sentence

_FIELD_OF = {"filter": "filter", "limit": "limit", "context.product_id": "product", "context.category": "category"}
_RULE_WORDS = ("pinned_by:", "boosted_by:", "buried_by:")


@dataclass(frozen=True, slots=True)
class ShownItem:
    """A row of the answer."""

    item: RankedItem
    title: str
    price: str
    image_url: str
    url: str
    note: str


@dataclass(frozen=True, slots=True)
class ActingRule:
    """A rule that changed the answer; `rule` is None when it was deleted since."""

    rule_id: str
    rule: RuleRow | None
    text: str


def preview_view(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The page; its question stands in the address, so that it can be bookmarked and sent to a colleague."""

    def view(request: HttpRequest) -> HttpResponse:
        form = PreviewForm(_with_defaults(request) if request.GET else None)
        context: dict[str, Any] = {**site.each_context(request), "title": "Preview", "form": form}
        if form.is_bound and form.is_valid():
            context |= _answer(plane_of(request), form)
        return TemplateResponse(request, "reco_admin/preview.html", context)

    return view


def _with_defaults(request: HttpRequest) -> Any:
    given = request.GET.copy()
    for name in ("strategy", "limit"):
        given.setdefault(name, str(PreviewForm.base_fields[name].initial))
    return given


def _answer(plane: AdminPlane, form: PreviewForm) -> dict[str, Any]:
    try:
        answer = plane.preview(form.question())
        explanation = (
            plane.explain(answer.recommendation_id, form.cleaned_data["why"]) if form.cleaned_data["why"] else None
        )
    except InvalidArgument as error:
        for violation in error.violations:
            form.add_error(_FIELD_OF.get(violation.field), violation.description)
        return {}
    except RecomeshError as error:
        return {"trouble": error.message}
    cards, trouble = _cards(plane, [item.product_id for item in answer.items])
    return {
        "answer": answer,
        "items": [_shown(item, cards.get(item.product_id), plane.shop_url) for item in answer.items],
        "rules": list(_acting(answer, explanation)),
        "explanation": explanation,
        "trouble": trouble,
    }


def _cards(plane: AdminPlane, ids: Sequence[str]) -> tuple[dict[str, Mapping[str, object]], str]:
    try:
        return {str(card["product_id"]): card for card in plane.cards(ids)}, ""
    except RecomeshError as error:
        return {}, f"Titles and images are missing: {error.message}"


def _shown(item: RankedItem, card: Mapping[str, object] | None, shop_url: str) -> ShownItem:
    if card is None:
        return ShownItem(item, item.product_id, "", "", "", "")
    price = card.get("sale_price", card.get("price"))
    availability = str(card.get("availability", "in_stock"))
    return ShownItem(
        item=item,
        title=str(card["title"]),
        price="" if price is None else f"{price:,.2f} {card.get('currency') or ''}".strip(),
        image_url=_absolute(str(card.get("image_url") or ""), shop_url),
        url=_absolute(str(card.get("url") or ""), shop_url),
        note="" if availability == "in_stock" else availability.replace("_", " "),
    )


def _absolute(url: str, shop_url: str) -> str:
    """Only links that a browser may follow: http(s), or a path on the shop's own host."""
    if url.startswith(("http://", "https://")):
        return url
    return f"{shop_url}{url}" if shop_url and url.startswith("/") else ""


def _acting(answer: Recommendation, explanation: Explanation | None) -> Iterable[ActingRule]:
    named = [r.split(":", 1)[1] for item in answer.items for r in item.reasons if r.startswith(_RULE_WORDS)]
    if explanation is not None and explanation.removed_by.startswith("rule:"):
        named.append(explanation.removed_by.removeprefix("rule:"))
    rows = {row.rule_id: row for row in RuleRow.objects.all()}
    for rule_id in dict.fromkeys(named):
        row = rows.get(rule_id) or rows.get(f"rule-{rule_id}")
        yield ActingRule(rule_id, row, f"{row.name}: {sentence(row)}" if row else "deleted since")
