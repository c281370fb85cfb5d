"""Who gets in, what is safe to show, probes."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from meshkit.settings import ROOT
from tests.support.reco_admin import PASSWORD, USER, Browser, FakeShop

PAGES = [
    "/",
    "/preview/",
    "/reco_store/rulerow/",
    "/reco_store/rulerow/add/",
    "/reco_store/rulesetrow/",
    "/reco_store/modelrow/",
    "/reco_store/modelrow/previous/activate/",
    "/reco_store/trainingrunrow/",
    "/reco_store/interactionrow/",
    "/reco_store/hourlycountrow/",
]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_asks_a_stranger_to_log_in(stranger: Browser, page: str) -> None:
    answer = stranger.get(page)

    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/login/")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_on_an_empty_store_and_loads_nothing_from_elsewhere(browser: Browser, page: str) -> None:
    answer = browser.get(page)

    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in answer.headers["cache-control"]
    assert "http://" not in answer.text.replace("http://www.w3.org/2000/svg", "")
    assert "style=" not in answer.text
    assert "<style" not in answer.text


def test_a_wrong_password_is_refused(stranger: Browser) -> None:
    answer = stranger.log_in("wrong")

    assert "Please enter the correct username and password" in answer.text
    assert stranger.get("/").status_code == 302


def test_who_guesses_passwords_has_to_wait(stranger: Browser) -> None:
    for _ in range(10):
        assert stranger.log_in("wrong").status_code == 200
    answer = stranger.log_in(PASSWORD)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) <= 6
    assert "too many failed logins" in answer.text


def test_django_has_nothing_to_say_against_the_deployment(tmp_path: Path) -> None:
    """`check --deploy` with the settings of a plane that speaks https; in a process of its own."""
    code = f"""
from pathlib import Path
from django.core.management import call_command
from reco_svc.adapters import django_setup
from reco_svc.transport.admin.plane import django_settings
home = Path({str(tmp_path)!r})
extra = django_settings(host="10.0.0.1", secure_cookies=True)
django_setup.configure(f"sqlite:///{{home}}/reco.db", home, extra=extra)
call_command("check", deploy=True, fail_level="WARNING")
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "gen")])}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "no issues" in ran.stdout


def test_a_session_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: Browser) -> None:
    page = stranger.get("/login/")
    token = page.text.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
    answer = stranger.post("/login/", data={"csrfmiddlewaretoken": token, "username": USER, "password": PASSWORD})

    (cookie,) = [c for c in answer.headers.get_list("set-cookie") if c.startswith("recomesh_reco_session=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_a_post_without_a_token_is_refused(browser: Browser, shop: FakeShop) -> None:
    answer = browser.post("/reco_store/trainingrunrow/train/", data={"note": "forged"})

    assert answer.status_code == 403
    assert shop.queue.published == []


def test_logging_out_closes_the_session(browser: Browser) -> None:
    browser.submit("/", to="/logout/")

    assert browser.get("/").status_code == 302


def test_the_password_belongs_to_the_settings(browser: Browser) -> None:
    assert browser.get("/password_change/").headers["location"] == "/"
    assert "password_change" not in browser.get("/").text


def test_a_new_password_ends_old_sessions_and_other_accounts_are_closed(browser: Browser, address: str) -> None:
    from django.contrib.auth.models import User

    from reco_svc.transport.admin.plane import ensure_admin

    User.objects.create_superuser("left-over", password="x")
    ensure_admin(USER, "a new one")

    assert browser.get("/").status_code == 302
    assert "Please enter" in browser.log_in(PASSWORD).text
    assert browser.log_in("a new one").url.path == "/"
    assert not User.objects.get(username="left-over").is_active
    assert "a new one" not in User.objects.get(username=USER).password


def test_probes_and_metrics_need_no_login_and_tell_the_truth(stranger: Browser, shop: FakeShop, address: str) -> None:
    assert stranger.get("/livez").json() == {"process": "ok"}
    assert stranger.get("/readyz").json() == {"store": "ok"}
    assert httpx.get(f"{address}/readyz", headers={"host": "10.0.0.7"}).status_code == 200

    shop.parts["store"] = "starting"
    answer = stranger.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"store": "starting"})
    assert "recomesh_http_total" in stranger.get("/metrics").text


def test_another_host_name_is_refused(address: str) -> None:
    assert httpx.get(f"{address}/login/", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("path", ["/static/admin/css/base.css", "/static/reco_admin/admin.css"])
def test_static_files_come_from_the_packages(stranger: Browser, path: str) -> None:
    answer = stranger.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")


@pytest.mark.parametrize("path", ["/static/../settings.py", "/nowhere/", "/reco_store/rulerow/999/change/", "/%00"])
def test_what_does_not_exist_is_not_an_error_of_the_server(browser: Browser, path: str) -> None:
    assert browser.get(path, follow_redirects=True).status_code in (200, 404)
