"""Which products a boost or a rule means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from meshkit.filtering import PRODUCT_FIELDS, Expression, parse
from reco_svc.domain.model import Target, TargetKind
from reco_svc.domain.ports import Mask, Rows
from reco_svc.domain.product_table import ProductTable


@dataclass(frozen=True, slots=True)
class Aim:
    """A target that was read: `filter` is the tree of a FILTER target. A blank value means no product at all."""

    target: Target
    filter: Expression | None

    @classmethod
    def at(cls, target: Target) -> Aim:
        """Reads a target; InvalidArgument (FILTER_SYNTAX) for a filter that does not parse."""
        return cls(target, parse(target.value, PRODUCT_FIELDS) if target.kind is TargetKind.FILTER else None)

    def hits(self, rows: Rows, table: ProductTable) -> Mask:
        """Which of the rows are meant, shape (len(rows),)."""
        if self.target.kind is TargetKind.PRODUCT:
            meant: Mask = rows == table.row(self.target.value)
            return meant
        return self._mask(table)[rows]

    def strike(self, allowed: Mask, table: ProductTable) -> None:
        """Clears what is meant from a mask over the whole table, in place."""
        if self.target.kind is not TargetKind.PRODUCT:
            allowed &= ~self._mask(table)
        elif (row := table.row(self.target.value)) >= 0:
            allowed[row] = False

    def _mask(self, table: ProductTable) -> Mask:
        match self.target.kind:
            case _ if not self.target.value.strip():
                return np.zeros(len(table), np.bool_)
            case TargetKind.CATEGORY:
                return table.in_category(self.target.value)
            case TargetKind.BRAND:
                return table.of_brand(self.target.value)
            case TargetKind.TAG:
                return table.tagged(self.target.value)
            case _:
                return table.matching(self.filter) if self.filter else np.zeros(len(table), np.bool_)
