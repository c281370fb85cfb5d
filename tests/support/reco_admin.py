"""The recommender's admin plane over a real socket, with fake use cases behind it."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import httpx

from bench.ports import free_ports
from meshkit.errors import FailedPrecondition, InvalidArgument, Unavailable
from meshkit.security.audit import Audit
from meshkit.web.planes import serve_wsgi
from meshkit.web.wsgi import WsgiApp
from reco_svc.adapters.django_model_registry import DjangoModelRegistry
from reco_svc.domain.model import (
    Explanation,
    Model,
    RankedItem,
    Recommendation,
    RecommendQuery,
    SourceOpinion,
    TrainingRun,
)
from reco_svc.domain.readiness import SourceReadiness
from reco_svc.service.models import Models
from reco_svc.transport.admin.plane import AdminPlane, admin_app, ensure_admin
from tests.support.gates import Keys
from tests.support.reco_stores import FakeQueue, FakeSnapshots

USER, PASSWORD = "admin", "correct horse battery staple"


@dataclass
class FakeShop:
    """What the plane calls; `asked` keeps the questions of the preview."""

    snapshots: FakeSnapshots = field(default_factory=FakeSnapshots)
    queue: FakeQueue = field(default_factory=FakeQueue)
    parts: dict[str, str] = field(default_factory=lambda: {"store": "ok"})
    asked: list[RecommendQuery] = field(default_factory=list)
    catalog_away: bool = False
    keys: Keys = field(default_factory=Keys)
    corrupt: bool = False
    reasons: tuple[str, ...] = ("similar_to:p9",)
    ready: Sequence[SourceReadiness] = ()

    def plane(self) -> AdminPlane:
        self._models = Models(DjangoModelRegistry(), self.snapshots, self.queue)  # type: ignore[arg-type]
        return AdminPlane(
            preview=self._preview,
            explain=self._explain,
            cards=self._cards,
            models=self,
            health=lambda: self.parts,
            readiness=lambda: self.ready,
            shop_url="http://shop.example",
            keys=self.keys.manage,
            audit=Audit(self.keys.trail),
        )

    def train(self, note: str, force: bool) -> TrainingRun:
        return self._models.train(note, force)

    def activate(self, version: str) -> Model:
        if self.corrupt:
            raise FailedPrecondition("vectors.npy does not match its checksum", reason="SNAPSHOT_CORRUPT")
        return self._models.activate(version)

    def _preview(self, query: RecommendQuery) -> Recommendation:
        self.asked.append(query)
        if query.filter == "price <":
            raise InvalidArgument.of("filter", "column 8: a value is missing", reason="FILTER_SYNTAX")
        if query.placement == "broken":
            raise Unavailable("reco")
        items = tuple(
            RankedItem(f"p{n}", n, 1.0 / n, "similar", self.reasons if n == 1 else ())
            for n in range(1, query.limit + 1)
        )
        return Recommendation("r1", items, ("gone",), 1, False, "v2", "7", datetime.now(UTC))

    def _explain(self, recommendation_id: str, product_id: str) -> Explanation:
        opinion = SourceOpinion("similar", 0.75, 3)
        shown = Explanation(2, (opinion,), "", ("similar_to:p9",))
        return shown if product_id == "p2" else replace(shown, position=0, removed_by="never_show:out_of_stock")

    def _cards(self, product_ids: Sequence[str]) -> Sequence[Mapping[str, object]]:
        if self.catalog_away:
            raise Unavailable("catalog")
        return [_card(product_id) for product_id in product_ids if product_id != "p3"]


def _card(product_id: str) -> dict[str, object]:
    return {
        "product_id": product_id,
        "title": f"<b>Mug {product_id}</b>",
        "price": 12.5,
        "currency": "EUR",
        "image_url": f"/img/{product_id}.png",
        "url": "javascript:alert(1)",
        "availability": "preorder",
    }


class Browser(httpx.Client):
    """A browser without a screen: keeps cookies, fills in the CSRF token of the page it looks at."""

    def log_in(self, password: str = PASSWORD) -> httpx.Response:
        return self.submit("/login/?next=/", username=USER, password=password)

    def submit(self, page: str, to: str = "", **fields: object) -> httpx.Response:
        """Looks at a page, then posts its form (to another address where `to` is given)."""
        shown = self.get(page, follow_redirects=True)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', shown.text)
        assert token, shown.text[:2_000]
        data = {"csrfmiddlewaretoken": token[1], **fields}
        return self.post(to or page, data=data, follow_redirects=True)


@contextmanager
def admin_plane(shop: FakeShop) -> Iterator[str]:
    """The address of a running plane."""
    ensure_admin(USER, PASSWORD)
    app = admin_app(shop.plane())
    port = free_ports(1)[0]
    with serving(app, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def serving(app: WsgiApp, port: int) -> Iterator[None]:
    """Runs `serve_wsgi` on an event loop of its own."""
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with serve_wsgi(app, "127.0.0.1", port):
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield
    finally:
        done.set()
        thread.join(30)
