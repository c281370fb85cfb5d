"""The form of the preview page, and the question it makes."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from reco_svc.domain import limits
from reco_svc.domain.model import Context, EventType, RecommendQuery, SessionStep, Strategy

MAX_SESSION = 100
MAX_BASKET = 100
_STEP_TYPES = {t.name.lower(): t for t in EventType if t is not EventType.SEARCH}


class PreviewForm(forms.Form):
    """Everything that an answer may depend on."""

    strategy = forms.ChoiceField(
        choices=[(s.value, s.value.replace("_", " ")) for s in Strategy], initial=Strategy.AUTO.value
    )
    product = forms.CharField(required=False, help_text="Product on the page.")
    basket = forms.CharField(required=False, help_text="Product ids, separated by blanks or commas.")
    session = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="A step a line, oldest first: a product id and, if it was no view, its type: 85123A add_to_cart.",
    )
    visitor = forms.CharField(required=False, help_text="Brings in session, purchases and preferences.")
    category = forms.CharField(required=False, max_length=500, help_text="Category on the page: Home > Kitchen.")
    query = forms.CharField(required=False, max_length=limits.MAX_QUERY, help_text="What was searched for.")
    filter = forms.CharField(required=False, max_length=2_000, help_text='Such as price < 20 AND brand = "Acme".')
    placement = forms.CharField(required=False, max_length=limits.MAX_PLACEMENT, help_text="Selects rules.")
    limit = forms.IntegerField(min_value=1, max_value=100, initial=10)
    diversity = forms.FloatField(
        required=False, min_value=0, max_value=1, help_text="0: by score alone, 1: as varied as possible."
    )
    novelty = forms.FloatField(
        required=False, min_value=0, max_value=1, help_text="0: by score alone, 1: the rarest candidates first."
    )
    include = forms.MultipleChoiceField(
        required=False,
        choices=[("out_of_stock", "sold out"), ("purchased", "bought before")],
        widget=forms.CheckboxSelectMultiple,
        label="Also show",
    )
    why = forms.CharField(required=False, label="Why (not)?", help_text="Explains this product's place.")

    def clean_product(self) -> str:
        """An id or nothing."""
        return self._id("product")

    def clean_visitor(self) -> str:
        """An id or nothing."""
        return self._id("visitor")

    def clean_why(self) -> str:
        """An id or nothing."""
        return self._id("why")

    def clean_basket(self) -> tuple[str, ...]:
        """Ids."""
        ids = tuple(filter(None, re.split(r"[\s,]+", self.cleaned_data["basket"])))
        if len(ids) > MAX_BASKET:
            raise forms.ValidationError(f"At most {MAX_BASKET} products.")
        _check_ids(ids)
        return ids

    def clean_session(self) -> tuple[SessionStep, ...]:
        """Steps."""
        lines = [line.split() for line in self.cleaned_data["session"].splitlines() if line.strip()]
        if len(lines) > MAX_SESSION:
            raise forms.ValidationError(f"At most {MAX_SESSION} steps.")
        return tuple(_step(number, words) for number, words in enumerate(lines, start=1))

    def question(self) -> RecommendQuery:
        """The question behind a valid form."""
        data: dict[str, Any] = self.cleaned_data
        return RecommendQuery(
            strategy=Strategy(data["strategy"]),
            placement=data["placement"],
            visitor_id=data["visitor"],
            session=data["session"],
            context=Context(data["product"], data["basket"], data["category"], data["query"]),
            filter=data["filter"],
            limit=data["limit"],
            diversity=data["diversity"],
            include=frozenset(data["include"]),
            explain=True,
            novelty=data["novelty"],
        )

    def _id(self, field: str) -> str:
        value = str(self.cleaned_data[field])
        _check_ids([value] if value else [])
        return value


def _check_ids(ids: Any) -> None:
    for value in ids:
        if not limits.is_id(value):
            raise forms.ValidationError(f"{value[:40]!r} is no id: {limits.ID_RULE}.")


def _step(number: int, words: list[str]) -> SessionStep:
    _check_ids(words[:1])
    kind = _STEP_TYPES.get(words[1]) if len(words) == 2 else EventType.VIEW_ITEM if len(words) == 1 else None
    if kind is None:
        raise forms.ValidationError(f"Line {number}: a product id and, after a blank, one of {', '.join(_STEP_TYPES)}.")
    return SessionStep(words[0], kind)
