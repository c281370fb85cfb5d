import json

from recomesh.reco.v1 import reco_pb2


def test_a_recommendation_is_a_table_with_titles_prices_and_reasons(recomesh, mesh):
    mesh.add("a", title="Blue mug", price=9.9, currency="EUR")
    mesh.add("b", title="Red [bold]mug\x1b[31m", price=8.0, sale_price=5.5, currency="EUR")
    answer = recomesh("recommend", "--product", "a", "--limit", "5")
    assert answer.exit_code == 0
    assert "5.50 EUR" in answer.stdout
    assert "similar_to:a" in answer.stdout
    assert "[bold]mug\\x1b[31m" in answer.stdout
    assert "\x1b[31m" not in answer.stdout
    assert "fallback level 1" in answer.stdout


def test_every_option_reaches_the_recommender(recomesh, mesh):
    recomesh(
        *("recommend", "--visitor", "v", "--product", "a", "--basket", "b", "--basket", "c", "--category", "K > L"),
        *("--query", "mug", "--strategy", "bought_together", "--filter", "price < 5", "--limit", "7"),
        *("--diversity", "0.5", "--novelty", "0.25"),
    )
    (request,) = mesh.asked
    assert request.visitor_id == "v"
    assert list(request.context.basket) == ["b", "c"]
    assert (request.context.category, request.context.query) == ("K > L", "mug")
    assert request.strategy == reco_pb2.STRATEGY_BOUGHT_TOGETHER
    assert (request.filter, request.limit) == ("price < 5", 7)
    assert (request.diversity, request.novelty) == (0.5, 0.25)


def test_json_has_the_cards(recomesh, mesh):
    mesh.add("a")
    mesh.add("b", price=5, currency="EUR")
    told = json.loads(recomesh("similar", "a", "--json").stdout)
    assert [item["product"]["price"] for item in told["items"]] == [5.0]
    assert told["model_version"] == "m1"


def test_an_empty_catalog_is_told(recomesh, mesh):
    answer = recomesh("recommend")
    assert answer.exit_code == 0
    assert "No product fits" in answer.stdout


def test_an_unknown_product_is_told(recomesh, mesh):
    answer = recomesh("similar", "nope")
    assert answer.exit_code == 1
    assert "not in the catalog" in answer.stderr
    mesh.add("a")
    assert "Not in the catalog: nope" in recomesh("recommend", "--product", "nope").stdout


def test_a_limit_out_of_bounds_is_a_misuse(recomesh, mesh):
    assert recomesh("recommend", "--limit", "0").exit_code == 2
    assert recomesh("recommend", "--limit", "1000000000").exit_code == 2
