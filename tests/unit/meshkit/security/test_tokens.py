"""Bearer tokens: the good ones, and a corpus of bad ones."""

import json
import time

import pytest

from meshkit.errors import Unauthenticated, Unavailable
from meshkit.security.jwks import MAX_AGE_S, REFETCH_S, Jwks
from meshkit.security.roles import ROLE_SCOPES, Role, Scope
from meshkit.security.tokens import KEPT_S, TokenVerifier
from tests.support.bad_tokens import BAD_TOKENS
from tests.support.token_issuer import AUDIENCE, ISSUER, TokenIssuer


class World:
    def __init__(self, algorithm: str = "RS256") -> None:
        self.issuer = TokenIssuer(algorithm)
        self.now = 1000.0
        self.fetched = 0
        self.away = False
        self.jwks = Jwks(self._fetch, algorithm, clock=lambda: self.now)
        self.verifier = TokenVerifier(
            self.jwks, issuer=ISSUER, audience=AUDIENCE, algorithm=algorithm, clock=lambda: self.now
        )

    async def _fetch(self) -> bytes:
        self.fetched += 1
        if self.away:
            raise ValueError("away")
        return self.issuer.jwks()


@pytest.fixture(scope="module")
def issuer() -> TokenIssuer:
    return TokenIssuer()


@pytest.fixture
def world(issuer: TokenIssuer) -> World:
    made = World()
    made.issuer = issuer
    return made


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
async def test_a_good_token_gives_its_subject_and_role(algorithm: str) -> None:
    world = World(algorithm)
    caller = await world.verifier.caller_of(world.issuer.token())
    assert (caller.subject, caller.role, caller.scopes) == ("jwt:alice", Role.OPERATOR, ROLE_SCOPES[Role.OPERATOR])


async def test_scopes_narrow_a_role_or_stand_alone(world: World) -> None:
    issuer, verify = world.issuer, world.verifier.caller_of
    assert (await verify(issuer.token(recomesh_role="shop", scope="events:write models:write"))).scopes == {
        Scope.EVENTS_WRITE
    }
    assert (await verify(issuer.token(recomesh_role=None, scope="models:read openid"))).scopes == {Scope.MODELS_READ}
    assert (await verify(issuer.token(recomesh_role="operator", scope=""))).scopes == frozenset()
    assert (await verify(issuer.token(recomesh_role=None))).scopes == frozenset()
    service = await verify(issuer.token(recomesh_role="service"))
    assert service.speaks_for_others


@pytest.mark.parametrize("name", sorted(BAD_TOKENS))
async def test_a_bad_token_is_refused_in_always_the_same_words(world: World, name: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await world.verifier.caller_of(BAD_TOKENS[name](world.issuer))
    assert (refused.value.message, refused.value.reason) == ("the token is not valid here", "TOKEN_INVALID")
    assert world.verifier.known(BAD_TOKENS[name](world.issuer)) is None


async def test_a_verified_token_is_known_for_half_a_minute(world: World) -> None:
    token = world.issuer.token()
    assert world.verifier.known(token) is None
    await world.verifier.caller_of(token)
    assert world.verifier.known(token) is not None
    world.now += KEPT_S
    assert world.verifier.known(token) is None


async def test_a_token_about_to_end_is_not_known_longer_than_it_lives(world: World) -> None:
    token = world.issuer.token(exp=int(time.time()) - 25)  # within the leeway
    await world.verifier.caller_of(token)
    world.now += 6
    assert world.verifier.known(token) is None


async def test_a_new_key_of_the_issuer_is_fetched_once_in_thirty_seconds() -> None:
    world = World()
    await world.verifier.caller_of(world.issuer.token())
    world.issuer.rotate("k2")
    with pytest.raises(Unauthenticated):
        await world.verifier.caller_of(world.issuer.token())
    assert world.fetched == 1
    world.now += REFETCH_S
    await world.verifier.caller_of(world.issuer.token())
    assert world.fetched == 2


async def test_the_last_good_keys_hold_while_the_issuer_is_away(world: World) -> None:
    token = world.issuer.token()
    await world.verifier.caller_of(token)
    world.away = True
    world.now += MAX_AGE_S
    await world.verifier.caller_of(token)
    assert world.fetched == 2


async def test_without_any_key_of_the_issuer_tokens_can_not_be_checked(world: World) -> None:
    world.away = True
    with pytest.raises(Unavailable):
        await world.verifier.caller_of(world.issuer.token())


async def test_keys_for_encryption_and_of_other_algorithms_are_not_taken(world: World) -> None:
    document = json.loads(world.issuer.jwks())
    for change in ({"use": "enc"}, {"alg": "RS512"}):
        altered = json.dumps({"keys": [{**document["keys"][0], **change}]}).encode()

        async def fetch(body: bytes = altered) -> bytes:
            return body

        assert await Jwks(fetch, "RS256").key("k1") is None
