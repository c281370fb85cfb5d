"""Pages for people: the catalog at a glance, products, the product form, import jobs."""

from __future__ import annotations

import re
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from catalog_svc.domain.model import Availability, Product
from catalog_svc.service.delete_products import delete_products
from catalog_svc.service.get_products import get_product
from catalog_svc.service.import_jobs import get_job, latest_jobs
from catalog_svc.service.list_products import list_products
from catalog_svc.service.overview import overview
from catalog_svc.service.search_products import search_products
from catalog_svc.transport.admin.api import save_product
from catalog_svc.transport.admin.import_runner import ImportRunner
from catalog_svc.transport.admin.imports_api import receive_file
from catalog_svc.transport.admin.product_form import FIELDS, form_of, product_of_form
from catalog_svc.transport.admin.rendering import environment, page
from catalog_svc.transport.catalog import Catalog
from feeds.products import PRODUCT_FORMATS
from meshkit.errors import Aborted, InvalidArgument
from meshkit.process import blocking
from meshkit.product_card import AVAILABILITY_VALUES

SHOWN_JOBS = 10
SHOWN_REJECTIONS = 20
PAGE_SIZE = 50
SEARCH_LIMIT = 100


def pages(catalog: Catalog, runner: ImportRunner) -> APIRouter:
    """Routes outside /v1."""
    router = APIRouter(include_in_schema=False)
    _add_overview(router, catalog, runner)
    _add_products(router, catalog)
    _add_form(router, catalog)
    _add_imports(router, runner)
    return router


def _add_overview(router: APIRouter, catalog: Catalog, runner: ImportRunner) -> None:
    def values() -> dict[str, object]:
        now = catalog.clock()
        jobs = latest_jobs(runner.jobs, SHOWN_JOBS, now)
        return {"seen": overview(catalog.products, now), "jobs": jobs, "now": now}

    @router.get("/")
    def home() -> HTMLResponse:
        return page("home.html", formats=PRODUCT_FORMATS, **values())

    @router.get("/live")
    def live() -> HTMLResponse:
        """The changing part of the home page."""
        return HTMLResponse(
            environment().get_template("live.html").render(values()), headers={"Cache-Control": "no-store"}
        )


def _add_products(router: APIRouter, catalog: Catalog) -> None:
    @router.get("/products")
    def products(q: str = "", filter: str = "", page_token: str = "") -> HTMLResponse:
        found: list[Product] = []
        next_token, trouble, now = "", "", catalog.clock()
        try:
            if q.strip():
                hits = search_products(catalog.products, query=q, filter=filter, limit=SEARCH_LIMIT, now=now)
                found = [hit.product for hit in hits]
            else:
                listing = list_products(
                    catalog.products,
                    filter=filter,
                    page_size=PAGE_SIZE,
                    page_token=page_token,
                    include_hidden=True,
                    now=now,
                )
                found, next_token = list(listing.products), listing.next_page_token
        except InvalidArgument as error:
            trouble = error.message
        status = 400 if trouble else 200
        return page(
            "products.html", status, q=q, filter=filter, products=found, next_token=next_token, trouble=trouble, now=now
        )


def _add_form(router: APIRouter, catalog: Catalog) -> None:
    @router.get("/product/new")
    def new() -> HTMLResponse:
        return _form_page(dict.fromkeys(FIELDS, ""), revision=0)

    @router.get("/product")
    def edit(id: str, saved: str = "") -> HTMLResponse:
        product = get_product(catalog.products, id)
        return _form_page(form_of(product), revision=product.revision, product=product, saved=bool(saved))

    @router.post("/product")
    async def save(request: Request) -> Response:
        async with request.form(max_files=0, max_fields=50) as sent:
            form = {name: str(sent.get(name, "")) for name in FIELDS}
            revision = str(sent.get("revision", "0"))
        return await blocking(_save, catalog, form, int(revision) if re.fullmatch("[0-9]{1,19}", revision) else 0)

    @router.post("/product/delete")
    async def delete(request: Request) -> Response:
        async with request.form(max_files=0, max_fields=5) as sent:
            product_id = str(sent.get("product_id", ""))
        await blocking(delete_products, catalog.products, [product_id], catalog.clock())
        catalog.changed()
        return RedirectResponse("/", 303)


def _save(catalog: Catalog, form: dict[str, str], revision: int) -> Response:
    before: Product | None = None
    try:
        product = product_of_form(form)
        before = catalog.products.get([product.product_id]).get(product.product_id)
        _check_revision(before, revision)
        save_product(catalog, product)
    except InvalidArgument as error:
        wrong = {_form_field(v.field): v.description for v in error.violations}
        return _form_page(form, 400, revision=revision, product=before, wrong=wrong)
    except Aborted as error:
        return _form_page(form, 409, revision=revision, product=before, wrong={"product_id": error.message})
    return RedirectResponse(f"/product?id={quote(product.product_id, safe='')}&saved=1", 303)


def _check_revision(before: Product | None, revision: int) -> None:
    if before is not None and not revision:
        raise Aborted("a product with this id exists already; open it to change it")
    if before is not None and before.revision != revision:
        raise Aborted("someone has changed the product meanwhile; open it again and repeat your change")


def _form_field(field: str) -> str:
    return field.split("[")[0].split(".")[0]


def _form_page(
    form: dict[str, str],
    status: int = 200,
    *,
    revision: int,
    product: Product | None = None,
    wrong: dict[str, str] | None = None,
    saved: bool = False,
) -> HTMLResponse:
    if not form["availability"]:
        form = {**form, "availability": Availability.IN_STOCK.value}
    return page(
        "product.html",
        status,
        form=form,
        revision=revision,
        product=product,
        wrong=wrong or {},
        saved=saved,
        availabilities=list(AVAILABILITY_VALUES),
    )


def _add_imports(router: APIRouter, runner: ImportRunner) -> None:
    @router.post("/imports")
    async def send(request: Request) -> Response:
        try:
            job = await receive_file(runner, request)
        except InvalidArgument as error:
            return page("error.html", 400, title="The file was not taken", detail=error.message)
        return RedirectResponse(f"/imports/{job.job_id}", 303)

    @router.get("/imports/{import_id}")
    def job(import_id: str) -> HTMLResponse:
        return page("import.html", **job_values(import_id))

    @router.get("/imports/{import_id}/live")
    def live(import_id: str) -> HTMLResponse:
        """The changing part of the job's page."""
        text = environment().get_template("import_live.html").render(job_values(import_id))
        return HTMLResponse(text, headers={"Cache-Control": "no-store"})

    def job_values(import_id: str) -> dict[str, object]:
        found = get_job(runner.jobs, import_id, runner.clock())
        rejected = runner.jobs.rejected(found.job_id, after_line=0, limit=SHOWN_REJECTIONS)
        return {"job": found, "rejected": rejected}
