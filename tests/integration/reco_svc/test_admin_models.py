"""Models, training runs, interactions and counts through the pages."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reco_svc.adapters.django_interaction_log import DjangoInteractionLog
from reco_svc.adapters.django_model_registry import DjangoModelRegistry
from reco_svc.domain.model import EventType, Model, TrainingState
from reco_svc.domain.readiness import SourceReadiness
from tests.support.reco_admin import Browser, FakeShop
from tests.support.reco_stores import NOON, FakeSnapshots, interaction

MODELS = "/reco_store/modelrow/"
RUNS = "/reco_store/trainingrunrow/"
INTERACTIONS = "/reco_store/interactionrow/"
COUNTS = "/reco_store/hourlycountrow/"
OLD = Model("v1", NOON, False, {"products": 3812.0}, {"auto/ndcg@10": 0.2, "popular/ndcg@10": 0.1}, "minilm", "")
NEW = replace(OLD, version="v2", active=True, parent="v1")


@pytest.fixture
def shop() -> FakeShop:
    return FakeShop(snapshots=FakeSnapshots("v1", "v2", active="v2"))


@pytest.fixture
def models(browser: Browser) -> DjangoModelRegistry:
    registry = DjangoModelRegistry()
    registry.add_model(OLD)
    registry.add_model(NEW)
    return registry


def _active(registry: DjangoModelRegistry) -> list[str]:
    return [m.version for m in registry.models(limit=9) if m.active]


def test_models_are_listed_with_their_quality(browser: Browser, models: DjangoModelRegistry) -> None:
    page = browser.get(MODELS).text
    assert page.index(">v2<") < page.index(">v1<")
    assert "3,812" in page

    detail = browser.get(f"{MODELS}v1/change/").text
    assert "<th scope='row'>popular</th><td>0.1</td>" in detail
    assert f"{MODELS}v1/activate/" in detail


def test_a_model_is_activated_after_a_question(browser: Browser, models: DjangoModelRegistry, shop: FakeShop) -> None:
    assert "instead of <b>v2</b>" in browser.get(f"{MODELS}v1/activate/").text
    assert shop.snapshots.active() == "v2"

    answer = browser.submit(f"{MODELS}v1/activate/")

    assert "Model v1 answers now" in answer.text
    assert shop.snapshots.active() == "v1"
    assert _active(models) == ["v1"]


def test_rolling_back_activates_the_model_before(browser: Browser, models: DjangoModelRegistry, shop: FakeShop) -> None:
    assert "<b>v1</b>" in browser.get(f"{MODELS}previous/activate/").text
    browser.submit(f"{MODELS}previous/activate/")

    assert shop.snapshots.active() == "v1"
    assert "There is no such model." in browser.get(f"{MODELS}previous/activate/").text


def test_a_model_that_can_not_be_activated_leaves_the_present_one(
    browser: Browser, models: DjangoModelRegistry, shop: FakeShop
) -> None:
    shop.corrupt = True

    answer = browser.submit(f"{MODELS}v1/activate/")

    assert "Nothing was changed: vectors.npy does not match its checksum." in answer.text
    assert _active(models) == ["v2"]
    assert "There is no such model." in browser.get(f"{MODELS}nope/activate/").text


def test_train_now_asks_the_workers_once(browser: Browser, shop: FakeShop) -> None:
    answer = browser.submit(RUNS, to=f"{RUNS}train/", note="new range", force="1")

    run = DjangoModelRegistry().run("latest")
    assert run is not None
    assert (run.state, run.note, run.force) == (TrainingState.QUEUED, "new range", True)
    assert f"Training run {run.run_id} waits for a worker." in answer.text
    assert 'http-equiv="refresh"' in answer.text
    assert len(shop.queue.published) == 1

    again = browser.submit(RUNS, to=f"{RUNS}train/")
    assert "is under way already" in again.text
    assert len(DjangoModelRegistry().runs(limit=9)) == 1
    assert browser.get(f"{RUNS}train/").status_code == 405


def test_no_run_begins_while_the_queue_is_away(browser: Browser, shop: FakeShop) -> None:
    shop.queue.away = True

    answer = browser.submit(RUNS, to=f"{RUNS}train/")

    assert "No run was begun: queue is away." in answer.text
    assert 'http-equiv="refresh"' not in answer.text


def test_a_run_shows_how_it_goes_and_how_it_ended(browser: Browser) -> None:
    registry = DjangoModelRegistry()
    run, _ = registry.start_run("", force=False)
    registry.update_run(replace(run, state=TrainingState.RUNNING, stage="embed products", progress=0.42))
    assert "42 %, embed products" in browser.get(RUNS).text

    ended = replace(
        run,
        state=TrainingState.FAILED,
        message="quality fell",
        finished_at=run.requested_at + timedelta(seconds=90),
        facts={"embed_s": 1.5},
    )
    registry.update_run(ended)
    page = browser.get(RUNS).text
    assert "quality fell" in page
    assert "1 min 30 s" in page
    assert "embed_s" in browser.get(f"{RUNS}{run.run_id}/change/").text


@pytest.fixture
def events(browser: Browser) -> None:
    DjangoInteractionLog().append(
        [
            interaction("e1", "mug"),
            interaction("e2", "lamp", visitor_id="v2", type=EventType.PURCHASE, minute=60 * 24),
            interaction("e3", "", type=EventType.SEARCH, query="<i>teapot</i>", minute=60 * 48),
        ]
    )


@pytest.mark.usefixtures("events")
def test_interactions_are_browsed_searched_and_limited_to_days(browser: Browser) -> None:
    page = browser.get(INTERACTIONS).text
    assert page.index("teapot") < page.index("lamp") < page.index("mug")
    assert "<i>teapot" not in page

    found = browser.get(INTERACTIONS, params={"q": "v2"}).text
    assert "lamp" in found
    assert "mug" not in found

    day = browser.get(INTERACTIONS, params={"from": "2026-05-02", "until": "2026-05-02"}).text
    assert "lamp" in day
    assert "mug" not in day
    assert "teapot" not in day
    both = browser.get(INTERACTIONS, params={"from": "2026-05-02", "type__exact": "9"}).text
    assert "teapot" in both
    assert "lamp" not in both


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize(
    "params", [{"from": "soon"}, {"from": "9999-12-31", "until": "0001-01-01"}, {"p": "10000"}, {"q": "'"}]
)
def test_odd_filters_are_answered_sensibly(browser: Browser, params: dict[str, str]) -> None:
    assert browser.get(INTERACTIONS, params=params, follow_redirects=True).status_code == 200
    assert browser.get(COUNTS, params=params, follow_redirects=True).status_code == 200


@pytest.mark.usefixtures("events")
def test_an_interaction_can_be_seen_but_not_changed(browser: Browser) -> None:
    page = browser.get(f"{INTERACTIONS}e2/change/")

    assert "lamp" in page.text
    assert 'name="_save"' not in page.text
    assert browser.get(f"{INTERACTIONS}add/").status_code == 403
    assert browser.get(f"{INTERACTIONS}e2/delete/").status_code == 403


@pytest.mark.usefixtures("events")
def test_hourly_counts_are_listed_by_hour(browser: Browser) -> None:
    page = browser.get(COUNTS).text
    assert page.index("lamp") < page.index("mug")

    assert "lamp" not in browser.get(COUNTS, params={"until": "2026-05-01"}).text


def test_a_long_log_is_paged_without_being_counted(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reco_svc.transport.admin.paging.MOST_COUNTED", 120)
    DjangoInteractionLog().append([interaction(f"e{n:03}", f"p{n:03}", minute=n) for n in range(200)])

    assert "p199" in browser.get(INTERACTIONS).text
    assert "p080" in browser.get(INTERACTIONS, params={"p": "3"}).text
    assert browser.get(INTERACTIONS, params={"p": "4"}).status_code == 302
    assert "more than" in browser.get("/").text


def test_the_overview_has_a_readiness_meter_of_every_source(browser: Browser, shop: FakeShop) -> None:
    assert "does not say yet" in browser.get("/").text
    shop.ready = [
        SourceReadiness("popular", 12, 10, "products"),
        SourceReadiness("session", 25, 100, "sessions", "new"),
    ]

    page = browser.get("/").text

    assert 'max="100" value="25"' in page
    assert "25 of 100 sessions; new stands in" in page
    assert page.index(">popular<") < page.index(">session<")
    assert "does not say yet" not in page
