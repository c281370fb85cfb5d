"""Stubs of the mesh that answer from memory, for the commands; no socket is opened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from recomesh.catalog.v1 import catalog_pb2, catalog_service_pb2
from recomesh.reco.v1 import reco_pb2, reco_service_pb2

from meshkit.product_card import product_from_card


class _Done:
    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    def result(self) -> Any:
        return self._answer()

    def cancel(self) -> None:
        pass


class Method:
    """An rpc: called with a request (or an iterator of them), or begun with `future`."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self._answer = answer

    def __call__(self, request: Any, *, timeout: float | None = None, metadata: Any = None) -> Any:
        return self._answer(request)

    def future(self, requests: Any, *, timeout: float | None = None, metadata: Any = None) -> _Done:
        sent = list(requests)
        return _Done(lambda: self._answer(sent))


class FakeMesh:
    """A catalog and an interaction log by id, a recommender that answers the catalog in order of id."""

    def __init__(self) -> None:
        self.products: dict[str, catalog_pb2.Product] = {}
        self.events: dict[str, reco_pb2.Interaction] = {}
        self.runs: list[reco_pb2.TrainingRun] = []
        self.asked: list[Any] = []
        self.streams = 0
        self.catalog = self.interactions = self.recommendations = self.models = self.profiles = self
        self.ImportProducts = Method(self._import_products)
        self.ImportInteractions = Method(self._import_interactions)
        self.ListProducts = Method(lambda _: catalog_service_pb2.ListProductsResponse())
        self.GetFreshness = Method(lambda _: reco_service_pb2.GetFreshnessResponse())
        self.BatchGetProducts = Method(self._batch_get)
        self.Recommend = Method(self._recommend)
        self.TrainModel = Method(lambda request: self._train(request))
        self.GetTrainingRun = Method(lambda _: reco_service_pb2.GetTrainingRunResponse(run=self.runs.pop(0)))
        self.GetModel = Method(self._model)

    @contextmanager
    def open(self, settings: Any) -> Iterator["FakeMesh"]:
        yield self

    def add(self, product_id: str, **card: Any) -> None:
        self.products[product_id] = product_from_card({"product_id": product_id, "title": product_id, **card})

    def _import_products(self, requests: Any) -> catalog_service_pb2.ImportProductsResponse:
        self.streams += 1
        answer = catalog_service_pb2.ImportProductsResponse()
        for product in (p for request in requests for p in request.products):
            if product.title == "refuse":
                why = {"field": "title", "reason": "is not liked", "product_id": product.product_id}
                answer.rejected.add(index=answer.read, **why)
                answer.rejected_count += 1
            elif self.products.get(product.product_id) == product:
                answer.unchanged += 1
            else:
                answer.created += 1
                self.products[product.product_id] = product
            answer.read += 1
        return answer

    def _import_interactions(self, requests: Any) -> reco_service_pb2.ImportInteractionsResponse:
        self.streams += 1
        answer = reco_service_pb2.ImportInteractionsResponse()
        for event in (e for request in requests for e in request.interactions):
            answer.read += 1
            if event.at.seconds < 0:
                refused = {"verdict": reco_pb2.VERDICT_INVALID, "reason": "at: too old"}
                answer.rejected.add(event_id=event.event_id, **refused)
                answer.rejected_count += 1
            elif event.event_id in self.events:
                answer.duplicate += 1
            else:
                answer.written += 1
                self.events[event.event_id] = event
        return answer

    def _batch_get(self, request: Any) -> catalog_service_pb2.BatchGetProductsResponse:
        known = [self.products[p] for p in request.product_ids if p in self.products]
        unknown = [p for p in request.product_ids if p not in self.products]
        return catalog_service_pb2.BatchGetProductsResponse(products=known, unknown_ids=unknown)

    def _recommend(self, request: Any) -> reco_service_pb2.RecommendResponse:
        self.asked.append(request)
        seed = request.context.product_id
        answer = reco_service_pb2.RecommendResponse(recommendation_id="r1", model_version="m1", fallback_level=1)
        if seed and seed not in self.products:
            answer.unknown_ids.append(seed)
        others = [p for p in sorted(self.products) if p != seed][: request.limit]
        for position, product_id in enumerate(others, 1):
            item = {"product_id": product_id, "position": position, "score": 1 / position, "source": "similar"}
            answer.items.add(reasons=[f"similar_to:{seed}"], **item)
        return answer

    def _train(self, request: Any) -> reco_service_pb2.TrainModelResponse:
        self.asked.append(request)
        return reco_service_pb2.TrainModelResponse(run=self.runs.pop(0))

    def _model(self, request: Any) -> reco_service_pb2.GetModelResponse:
        facts, quality = {"products": 3.0}, {"auto/ndcg@10": 0.25}
        model = reco_pb2.Model(version=request.version, facts=facts, quality=quality, embedder="minilm")
        return reco_service_pb2.GetModelResponse(model=model)
