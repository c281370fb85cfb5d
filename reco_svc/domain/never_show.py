"""What must never be shown: as a mask before candidates are found, and once more, product by product, at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numba import njit

from meshkit.filtering import PATH_SEPARATOR, folded_path
from reco_svc.domain.asking import Ask
from reco_svc.domain.ports import Mask
from reco_svc.domain.product_table import OUT_OF_STOCK, ProductTable


def allowed_rows(ask: Ask) -> Mask:
    """Rows that may be in the answer, shape (len(table),): visible, passing the filter, not blocked. A fresh array."""
    table = ask.view.products
    allowed = table.visible(ask.question.now_s, ask.query.include).copy()
    if ask.filter is not None:
        allowed &= table.matching(ask.filter)
    if ask.only_category:
        allowed &= table.in_category(ask.only_category)
    for category in ask.excluded_categories:
        allowed &= ~table.in_category(category)
    ask.rules.strike(allowed, table)
    allowed[blocked_rows(ask)] = False
    return allowed


def blocked_rows(ask: Ask) -> list[int]:
    """Rows that the question itself keeps out of its answer."""
    blocked = [*ask.in_basket, *ask.excluded, *ask.purchased]
    if ask.question.anchor >= 0:
        blocked.append(ask.question.anchor)
    return blocked


def present_rows(ask: Ask) -> list[int]:
    """What is on the page or in the basket."""
    return [*ask.in_basket, ask.question.anchor] if ask.question.anchor >= 0 else list(ask.in_basket)


def taken_groups(ask: Ask) -> set[int]:
    """Groups of variants of what is present: another variant of them is never shown."""
    group = ask.view.products.group
    return {int(group[row]) for row in present_rows(ask)} - {-1}


def offence(row: int, ask: Ask) -> str:
    """Why a row must never be shown, "" when it may be; reads the columns themselves, not the masks.

    One of deleted, hidden, expired, out_of_stock, on_page, in_basket, excluded, purchased, excluded_category.
    """
    table = ask.view.products
    if not table.sellable[row]:
        return "hidden" if table.exists(row) else "deleted"
    if table.expires_s[row] <= ask.question.now_s:
        return "expired"
    if not table.in_stock[row] and OUT_OF_STOCK not in ask.query.include:
        return OUT_OF_STOCK
    if row == ask.question.anchor:
        return "on_page"
    if row in ask.in_basket:
        return "in_basket"
    if row in ask.excluded:
        return "excluded"
    if row in ask.purchased:
        return "purchased"
    return "excluded_category" if _in_any(table, row, ask.excluded_categories) else ""


def offenders(rows: Sequence[int], ask: Ask) -> dict[int, str]:
    """Row → offence of every row of an answer that must not be in it, second variants ("variant") included."""
    if _all_fine(rows, ask):
        return {}
    group = ask.view.products.group
    groups, found = taken_groups(ask), {}
    for row in rows:
        code = int(group[row])
        wrong = offence(row, ask) or ("variant" if code in groups else "")
        if wrong:
            found[row] = wrong
        elif code >= 0:
            groups.add(code)
    return found


def _all_fine(rows: Sequence[int], ask: Ask) -> bool:
    """True only if no row can be an offender; the usual case, in one look at all of them."""
    table, sold_out_too = ask.view.products, OUT_OF_STOCK in ask.query.include
    columns = (table.group, table.sellable, table.expires_s, table.in_stock)
    return bool(
        not ask.excluded_categories
        and _sellable_now(np.asarray(rows, np.int64), *columns, ask.question.now_s, sold_out_too)
        and ask.question.anchor not in rows
        and ask.in_basket.isdisjoint(rows)
        and ask.excluded.isdisjoint(rows)
        and ask.purchased.isdisjoint(rows)
    )


@njit(cache=True, nogil=True)
def _sellable_now(rows, group, sellable, expires_s, in_stock, now_s, sold_out_too):  # type: ignore[no-untyped-def]
    """Whether each of the rows may be sold and is no variant of anything."""
    for row in rows:
        fine = group[row] < 0 and sellable[row] and expires_s[row] > now_s and (sold_out_too or in_stock[row])
        if not fine:
            return False
    return True


def _in_any(table: ProductTable, row: int, categories: Iterable[str]) -> bool:
    wanted = [folded_path(category) for category in categories]
    paths = [folded_path(path) for path in table.category_paths(row)] if wanted else []
    return any(path == top or path.startswith(top + PATH_SEPARATOR) for path in paths for top in wanted)
