"""Numbers and tables for people."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


def readable(number: float | None) -> str:
    """Whole numbers with separators, others with four digits: "3,812", "0.2153"; "–" for none."""
    if number is None:
        return "–"
    if float(number).is_integer():
        return f"{int(number):,}"
    return f"{number:,.1f}" if abs(number) >= 100 else f"{number:.4g}"


def facts_table(facts: Mapping[str, float]) -> SafeString | str:
    """Names and numbers, by name."""
    if not facts:
        return "–"
    rows = format_html_join(
        "", "<tr><th scope='row'>{}</th><td>{}</td></tr>", ((name, readable(facts[name])) for name in sorted(facts))
    )
    return format_html("<table class='numbers'><tbody>{}</tbody></table>", rows)


def quality_table(quality: Mapping[str, float]) -> SafeString | str:
    """A row for each source, a column for each metric, from names like "auto/ndcg@10"."""
    if not quality:
        return "–"
    cells = {tuple(name.partition("/")[::2]): value for name, value in quality.items()}
    metrics = sorted({metric for _, metric in cells})
    sources = sorted({source for source, _ in cells}, key=lambda s: (s != "auto", s))
    head = format_html_join("", "<th scope='col'>{}</th>", ((m or "value",) for m in metrics))
    body = format_html_join(
        "",
        "<tr><th scope='row'>{}</th>{}</tr>",
        ((s, format_html_join("", "<td>{}</td>", ((readable(cells.get((s, m))),) for m in metrics))) for s in sources),
    )
    return format_html(
        "<table class='numbers'><thead><tr><th scope='col'>source</th>{}</tr></thead><tbody>{}</tbody></table>",
        head,
        body,
    )
