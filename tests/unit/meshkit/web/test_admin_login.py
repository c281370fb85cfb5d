"""Sessions of the admin planes: how they begin, what ends them, what their forms must bring back."""

import re
from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import replace

import httpx
import pytest
from starlette.testclient import TestClient

from meshkit.errors import ResourceExhausted, Unauthenticated
from meshkit.security.gate import Gate
from meshkit.security.roles import Role
from meshkit.web.admin_login import LIFE_S, AdminLogin, csrf_input, local_path, use_session
from tests.support.gates import Keys, gate
from tests.support.routes import catalog_app, profile_app

HTML = {"accept": "text/html"}
GOOD = {"username": "admin", "password": "secret"}
CHANGES = {"catalog": ("/product/delete", {"product_id": "mug"}), "profile": ("/segment/delete", {"name": "x"})}


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def login(keys: Keys, clock: Clock) -> AdminLogin:
    return AdminLogin(gate(keys), "admin", "secret", clock=clock)


def test_the_password_opens_a_session_that_ends_by_itself(login: AdminLogin, clock: Clock) -> None:
    token, caller = login.sign_in(GOOD, "10.0.0.1")
    assert (caller.subject, caller.role) == ("admin:admin", Role.OPERATOR)
    assert login.signed_in(token) == caller
    clock.now += LIFE_S
    assert login.signed_in(token) is None
    assert login.signed_in("") is None
    assert login.signed_in("guess") is None


def test_another_password_ends_the_sessions_of_the_old_one(login: AdminLogin) -> None:
    token, _ = login.sign_in(GOOD, "10.0.0.1")
    assert replace(login, password="changed").signed_in(token) is None


def test_whoever_logs_out_is_out_everywhere(login: AdminLogin) -> None:
    token, _ = login.sign_in(GOOD, "10.0.0.1")
    login.sign_out(token)
    assert login.signed_in(token) is None


def test_a_key_opens_a_session_with_its_rights_until_it_is_revoked(login: AdminLogin, keys: Keys) -> None:
    text = keys.make(Role.MERCHANDISER)
    token, caller = login.sign_in({"password": f" {text} "[1:]}, "10.0.0.1")
    assert caller.role is Role.MERCHANDISER
    assert login.signed_in(token) == caller
    keys.manage.revoke(text[3:15], by="test")
    keys.ring.refresh()
    assert login.signed_in(token) is None


@pytest.mark.parametrize(
    "form",
    [
        {},
        {**GOOD, "password": "Secret"},
        {**GOOD, "username": "root"},
        {"username": "admin:secret", "password": ""},
        {"password": "rk_000000000000_x"},
        {"username": "\udc80", "password": "é"},
    ],
)
def test_a_wrong_login_opens_nothing(login: AdminLogin, form: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        login.sign_in(form, "10.0.0.1")


def test_who_guesses_has_to_wait_and_nobody_else(login: AdminLogin) -> None:
    def guess(address: str) -> None:
        login.sign_in({**GOOD, "password": "guess"}, address)

    for _ in range(10):
        with pytest.raises(Unauthenticated):
            guess("10.0.0.1")
    with pytest.raises(ResourceExhausted) as refused:
        login.sign_in(GOOD, "10.0.0.1")
    assert 0 < refused.value.retry_after_s <= 6
    with pytest.raises(ResourceExhausted):
        login.known("Basic YWRtaW46c2VjcmV0", "", "10.0.0.1")
    login.sign_in(GOOD, "10.0.0.2")


def test_scripts_may_be_wrong_as_seldom_as_people(login: AdminLogin) -> None:
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            login.known("Basic Zm9vOmJhcg==", "", "10.0.0.1")
    with pytest.raises(ResourceExhausted):
        login.known("", "rk_guess", "10.0.0.1")


def test_over_https_the_cookie_is_bound_to_this_host() -> None:
    plain, safe = (AdminLogin(gate(), "admin", "secret", secure=secure) for secure in (False, True))
    assert plain.cookie("t") == "recomesh_admin=t; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict"
    assert safe.cookie("t") == "__Host-recomesh_admin=t; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict; Secure"
    assert "Max-Age=0" in safe.cookie("")
    assert safe.token_in("a=b; __Host-recomesh_admin=t; recomesh_admin=u") == "t"
    assert safe.token_in("recomesh_admin=u") == ""


@pytest.mark.parametrize(
    "elsewhere", ["//evil", "/\\evil", "https://evil", "javascript:x", "", "/a\r\nb: c", "/é", "evil"]
)
def test_after_the_login_people_stay_on_the_plane(elsewhere: str) -> None:
    assert local_path(elsewhere) == "/"
    assert local_path("/product?id=a%2Fb&saved=1") == "/product?id=a%2Fb&saved=1"


def test_a_form_without_a_session_has_no_secret() -> None:
    copy_context().run(use_session, "token")
    assert 'value=""' in csrf_input()


@pytest.fixture(params=["catalog", "profile"])
def plane(request: pytest.FixtureRequest, keys: Keys) -> Iterator[tuple[str, httpx.Client]]:
    over: Gate = gate(keys)
    if request.param == "catalog":
        client: httpx.Client = TestClient(catalog_app(over), follow_redirects=False, raise_server_exceptions=False)
    else:
        app = profile_app(over)
        in_own_context = httpx.WSGITransport(lambda *asked: copy_context().run(app, *asked))  # as in a server's thread
        client = httpx.Client(transport=in_own_context, base_url="http://testserver")
    with client:
        yield request.param, client


def log_in(client: httpx.Client, **form: str) -> httpx.Response:
    return client.post("/login", data={**GOOD, **form})


def test_a_person_is_led_to_the_login_and_back(plane: tuple[str, httpx.Client]) -> None:
    _, client = plane
    sent = client.get("/visitors?q=a%20b" if plane[0] == "profile" else "/products?q=a%20b", headers=HTML)
    assert sent.status_code == 303
    page = client.get(sent.headers["location"])
    assert page.status_code == 200
    after = re.search(r'name="next" value="([^"]+)"', page.text)
    assert after is not None
    assert after[1].endswith("?q=a%20b")
    answer = log_in(client, next=after[1])
    assert (answer.status_code, answer.headers["location"]) == (303, after[1])
    assert client.get("/", headers=HTML).status_code in (302, 503)  # the use cases are away: the guard let it in


def test_a_wrong_password_shows_the_form_again(plane: tuple[str, httpx.Client]) -> None:
    _, client = plane
    answer = log_in(client, password="<b>guess</b>", username="<b>me</b>")
    assert answer.status_code == 401
    assert "is wrong" in answer.text
    assert "guess" not in answer.text
    assert "&lt;b&gt;me" in answer.text
    assert "set-cookie" not in answer.headers
    for _ in range(10):
        log_in(client, password="guess")
    assert log_in(client).status_code == 429


def test_a_change_needs_the_token_of_the_session(plane: tuple[str, httpx.Client]) -> None:
    name, client = plane
    path, form = CHANGES[name]
    log_in(client)
    assert client.post(path, data=form).status_code == 403
    assert client.post(path, data={**form, "csrf": "0" * 64}).status_code == 403
    page = client.get("/product/new" if name == "catalog" else "/segment").text
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)
    assert token is not None
    assert client.post(path, data={**form, "csrf": token[1]}).status_code == 503
    assert client.post(path, data=form, headers={"x-csrf-token": token[1]}).status_code == 503
    crossed = client.post(path, data={**form, "csrf": token[1]}, headers={"sec-fetch-site": "cross-site"})
    assert crossed.status_code == 403
    other = log_in(client)
    assert other.status_code == 303
    assert client.post(path, data={**form, "csrf": token[1]}).status_code == 403  # of the session before


def test_scripts_need_no_session(plane: tuple[str, httpx.Client], keys: Keys) -> None:
    name, client = plane
    path, form = CHANGES[name]
    assert client.post(path, data=form, auth=("admin", "secret")).status_code == 503
    key = keys.make(Role.MERCHANDISER)
    assert client.post(path, data=form, headers={"authorization": f"Bearer {key}"}).status_code == 503
    assert client.get("/", headers={"x-api-key": keys.make(Role.PUBLIC)}).status_code == 403
    assert client.get("/").headers["www-authenticate"].startswith("Bearer")


def test_logging_out_ends_the_session_not_only_the_cookie(plane: tuple[str, httpx.Client]) -> None:
    _, client = plane
    log_in(client)
    kept = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    answer = client.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert not client.cookies
    assert client.get("/", headers={**HTML, "cookie": kept}).headers["location"].startswith("/login")


def test_another_site_can_not_log_a_person_in(plane: tuple[str, httpx.Client]) -> None:
    _, client = plane
    answer = client.post("/login", data=GOOD, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert not client.cookies
