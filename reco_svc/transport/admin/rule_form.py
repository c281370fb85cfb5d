"""The form of a merchandising rule: what each field means, and what is refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms

from meshkit.errors import InvalidArgument
from meshkit.filtering import PRODUCT_FIELDS, parse
from reco_svc.domain.limits import is_id, is_plain
from reco_svc.domain.model import RuleKind, TargetKind
from reco_svc.orm.models import RuleRow

if TYPE_CHECKING:
    _Form = forms.ModelForm[RuleRow]
else:
    _Form = forms.ModelForm

MAX_POSITION = 100
MAX_FACTOR = 100.0


class RuleForm(_Form):
    """Checks a rule as ranking will read it."""

    class Meta:
        """What the fields mean, for merchandisers."""

        model = RuleRow
        fields = "__all__"
        labels: ClassVar = {
            "kind": "What it does",
            "target_kind": "To what",
            "target_value": "Which",
            "segment": "Audience",
        }
        widgets: ClassVar = {"target_value": forms.Textarea(attrs={"rows": 2, "cols": 80, "spellcheck": "false"})}
        help_texts: ClassVar = {
            "name": "For your colleagues: “Garden week”, “Hide recalled lamp”.",
            "enabled": "Switch it off instead of deleting it, if it may be needed again.",
            "kind": "pin: shows one product at a fixed position. boost: raises scores. bury: lowers them."
            " exclude: never shows.",
            "target_kind": "A pin needs a product. A category means everything below it too.",
            "target_value": "A product id, a category path such as Home > Kitchen, a brand, a tag, or a filter such as"
            ' price < 20 AND NOT brand = "Acme" AND in_stock = true.',
            "position": f"For a pin: its place in the list, 1 to {MAX_POSITION}. Two pins on one place: the lower"
            " priority number wins.",
            "factor": f"For boost and bury: scores are multiplied or divided by it; above 0, at most {MAX_FACTOR:g}."
            " 2 is a nudge, 10 a shove.",
            "placement": "Where in the shop, as the shop names it in its calls (“home”, “cart”). Empty: everywhere.",
            "segment": "A visitor segment of the profile service. Empty: everyone.",
            "starts_at": "UTC. Empty: from now on.",
            "ends_at": "UTC; from this moment it no longer holds. Empty: never ends.",
            "priority": "The lower number wins where two pins want one place.",
        }

    def clean_target_value(self) -> str:
        """No blanks around it, no control characters."""
        value = str(self.cleaned_data["target_value"]).strip()
        if not is_plain(value):
            raise forms.ValidationError("Control characters are not allowed.")
        return value

    def clean_factor(self) -> float:
        """A number that can be multiplied and divided by."""
        factor = float(self.cleaned_data["factor"])
        if not math.isfinite(factor) or not 0 < factor <= MAX_FACTOR:
            raise forms.ValidationError(f"Above 0, at most {MAX_FACTOR:g}.")
        return factor

    def clean_position(self) -> int:
        """A place that a list can have."""
        position = int(self.cleaned_data["position"])
        if not 1 <= position <= MAX_POSITION:
            raise forms.ValidationError(f"1 to {MAX_POSITION}.")
        return position

    def clean(self) -> dict[str, Any]:
        """What fields say together."""
        data: dict[str, Any] = super().clean() or {}
        kind, target, value = data.get("kind"), data.get("target_kind"), data.get("target_value", "")
        if kind == RuleKind.PIN and target and target != TargetKind.PRODUCT:
            self.add_error("target_kind", "A pin needs a product.")
        if value:
            self._check_target(target, value)
        starts_at, ends_at = data.get("starts_at"), data.get("ends_at")
        if starts_at and ends_at and ends_at <= starts_at:
            self.add_error("ends_at", "It must end after it starts.")
        return data

    def _check_target(self, target: Any, value: str) -> None:
        if target == TargetKind.PRODUCT and not is_id(value):
            self.add_error("target_value", "A product id has 1 to 128 bytes.")
        if target == TargetKind.FILTER:
            try:
                parse(value, PRODUCT_FIELDS)
            except InvalidArgument as error:
                self.add_error("target_value", [v.description for v in error.violations])
