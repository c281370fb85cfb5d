"""The report page: whole, self-contained, and safe whatever a task is called."""

from html.parser import HTMLParser
from xml.etree import ElementTree

from reco_svc.domain.evaluation.results import Evaluation
from recomesh_cli.evaluation.page import report_page
from tests.support.evaluations import made_evaluation


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def _plots(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring("<svg" + part.partition("</svg>")[0] + "</svg>") for part in page.split("<svg")[1:]]


def test_every_plot_is_there_as_svg_with_words_for_those_who_can_not_see_it() -> None:
    plots = _plots(report_page(made_evaluation()))
    labels = [plot.get("aria-label") or "" for plot in plots]
    for words in (
        "ndcg@10 of",
        "recall@20 of",
        "hr@10 of",
        "mrr@20 of",
        "ndcg@10 by",
        "recall@20 by",
        "Coverage",
        "hits",
    ):
        assert any(words in label for label in labels), words
    assert len(plots) == 9


def test_marks_stay_inside_their_picture() -> None:
    for plot in _plots(report_page(made_evaluation())):
        _, _, width, height = map(float, (plot.get("viewBox") or "").split())
        for mark in plot.iter():
            for name, most in (
                ("x", width),
                ("cx", width),
                ("x2", width),
                ("y", height),
                ("cy", height),
                ("y2", height),
            ):
                assert 0 <= float(mark.get(name, 0)) <= most, ElementTree.tostring(mark)


def test_the_page_asks_nothing_of_the_network_and_runs_no_script() -> None:
    page = report_page(made_evaluation())
    for tag, attributes in _Page(page).tags:
        assert tag not in ("script", "link", "img", "iframe")
        assert not {"src", "href", "onclick"} & set(attributes)
    assert "url(" not in page
    assert "@import" not in page


def test_the_findings_are_told_in_words() -> None:
    page = report_page(made_evaluation())
    assert "ndcg@10: auto is better than baseline: item-kNN by 50%" in page
    assert "ndcg@10: auto against session: too small to tell" in page


def test_a_name_with_markup_is_shown_not_run() -> None:
    page = report_page(made_evaluation("<script>alert(1)</script>"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_without_known_answers_there_are_the_facts_and_the_table() -> None:
    whole = made_evaluation()
    blend = whole.systems[0]
    unknown = type(blend)(blend.name, blend.kind, {}, blend.beyond)
    page = report_page(Evaluation(whole.task, [unknown]))
    assert "No known answers" in page
    assert not _plots(page)
