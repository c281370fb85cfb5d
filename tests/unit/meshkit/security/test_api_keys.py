"""How keys look, and what is kept of one."""

import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from meshkit.security.api_keys import StoredKey, digest_of, new_key, read_key
from meshkit.security.roles import ROLE_SCOPES, Role, Scope

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def test_a_new_key_is_read_back_and_looks_as_documented() -> None:
    key, text = new_key()
    assert read_key(text) == key
    assert re.fullmatch(r"rk_[0-9a-z]{12}_[0-9A-Za-z]{42}", text)
    assert new_key()[1] != text


@given(st.integers(3, 57), st.characters(min_codepoint=33, max_codepoint=126))
def test_one_wrong_character_anywhere_is_noticed(at: int, put: str) -> None:
    _, text = new_key()
    changed = text[:at] + put + text[at + 1 :]
    assert changed == text or read_key(changed) is None


@given(st.text(max_size=80))
def test_nothing_else_is_a_key(text: str) -> None:
    assert read_key(text) is None
    assert read_key("rk_" + text) is None


def test_a_line_break_after_a_key_makes_it_another_text() -> None:
    assert read_key(new_key()[1] + "\n") is None


def test_the_digest_depends_on_pepper_id_and_secret() -> None:
    key, _ = new_key()
    digests = {
        digest_of(key, b"a"),
        digest_of(key, b"b"),
        digest_of(key._replace(key_id="0" * 12), b"a"),
        digest_of(key._replace(secret="0" * 36), b"a"),
    }
    assert len(digests) == 4
    assert all(len(digest) == 32 for digest in digests)


def test_scopes_narrow_a_role_and_never_widen_it() -> None:
    def stored(*scopes: Scope) -> StoredKey:
        return StoredKey("k", "n", Role.SHOP, frozenset(scopes), b"", NOW, "test")

    assert stored().effective_scopes == ROLE_SCOPES[Role.SHOP]
    assert stored(Scope.EVENTS_WRITE, Scope.MODELS_WRITE).effective_scopes == {Scope.EVENTS_WRITE}
