"""API keys: only the whole key counts, only while it is good, and looking one up tells nobody anything else."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core import keys
from pointsman.core.keys import (
    ID_BYTES,
    ID_LENGTH,
    KEY_LENGTH,
    NO_KEYS,
    SECRET_BYTES,
    KeyCounts,
    KeyRing,
    compose,
    digest_of,
    id_in,
    is_ours,
    state,
)
from pointsman.model.errors import UsageError
from pointsman.model.keys import ApiKey, KeyFault

NOW = 1_800_000_000.0


def made(number: int = 1, **fields: Any) -> tuple[bytes, ApiKey]:
    """Return a whole key, and what is kept of it."""
    key_id, text = compose(number.to_bytes(ID_BYTES, "big"), bytes([number % 256]) * SECRET_BYTES)
    known = {"name": f"key-{number}", "client": f"client-{number}", "created": NOW - 100.0}
    return text.encode(), ApiKey(id=key_id, digest=digest_of(text), **{**known, **fields})


def test_a_key_says_what_it_is_and_holds_nothing_that_would_need_quoting() -> None:
    """A prefix to know it by, a public id, and 280 bits; letters, digits and two underscores."""
    key_id, text = compose(b"\x00\xff\x10\x20\x30", bytes(range(SECRET_BYTES)))
    assert text.startswith(f"pm_{key_id}_")
    assert len(text) == KEY_LENGTH == 68
    assert 8 <= len(key_id) == ID_LENGTH <= 12
    assert text.count("_") == 2
    assert text.replace("_", "").isalnum()
    assert text == text.lower()
    assert SECRET_BYTES * 8 >= 256


@given(st.binary(min_size=ID_BYTES, max_size=ID_BYTES), st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES))
def test_different_bytes_make_different_keys(id_bytes: bytes, secret: bytes) -> None:
    """Nothing of the randomness is lost on the way into letters."""
    other = bytes([secret[0] ^ 1, *secret[1:]])
    assert compose(id_bytes, secret)[1] != compose(id_bytes, other)[1]
    assert compose(id_bytes, secret) == compose(id_bytes, secret)
    assert compose(id_bytes, secret)[0] == compose(id_bytes, other)[0]


@pytest.mark.parametrize(("id_bytes", "secret_bytes"), [(b"", bytes(SECRET_BYTES)), (bytes(ID_BYTES), bytes(31))])
def test_a_key_is_not_made_of_less(id_bytes: bytes, secret_bytes: bytes) -> None:
    """A caller that took too few bytes would make keys that can be guessed."""
    with pytest.raises(UsageError):
        compose(id_bytes, secret_bytes)


def test_the_key_itself_is_not_kept() -> None:
    """What is kept is its SHA-256, in no form that shows the secret."""
    text, key = made()
    assert key.digest == hashlib.sha256(text).digest()
    assert text[12:] not in repr(key).encode()


def test_a_good_key_is_found_among_others() -> None:
    """With whose it is."""
    all_made = [made(number) for number in range(1, 9)]
    ring = KeyRing(key for _, key in all_made)
    assert [ring.find(text, NOW) for text, _ in all_made] == [key for _, key in all_made]
    assert [*ring] == [key for _, key in all_made]
    assert (len(ring), ring.required) == (8, True)
    assert ring.get(all_made[0][1].id) is all_made[0][1]
    assert ring.get("nothing") is None


@pytest.mark.parametrize(
    "shown",
    [
        b"",
        b"pm_",
        b"sk-proj-0123456789",
        made()[0] + b"x",
        made()[0][:-1],
        made()[0].upper(),
        b" " + made()[0][:-1],
        b"pk" + made()[0][2:],
    ],
)
def test_what_has_not_the_form_of_a_key_is_malformed(shown: bytes) -> None:
    """Another service's key, half a key, a key with something around it."""
    assert KeyRing([made()[1]]).find(shown, NOW) is KeyFault.MALFORMED


@given(st.integers(12, KEY_LENGTH - 1), st.integers(1, 255))
def test_one_wrong_character_of_the_secret_is_wrong(place: int, change: int) -> None:
    """Wherever it stands."""
    text, key = made()
    shown = bytearray(text)
    shown[place] ^= change
    assert KeyRing([key]).find(bytes(shown), NOW) is KeyFault.WRONG


@given(st.integers(3, 10), st.integers(1, 255))
def test_a_wrong_character_of_the_id_is_unknown(place: int, change: int) -> None:
    """There is no key of that id, whatever the secret."""
    text, key = made()
    shown = bytearray(text)
    shown[place] ^= change
    assert KeyRing([key]).find(bytes(shown), NOW) is KeyFault.UNKNOWN


def test_the_secret_of_one_key_opens_no_other() -> None:
    """The id is part of what is hashed."""
    (one, _), (other, key) = made(1), made(2)
    assert KeyRing([key]).find(other[:12] + one[12:], NOW) is KeyFault.WRONG


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"expires": NOW + 0.001}, "usable"),
        ({"expires": NOW}, "expired"),
        ({"expires": NOW - 1.0}, "expired"),
        ({"revoked": NOW + 1_000.0}, "revoked"),
        ({"revoked": NOW - 1.0, "expires": NOW - 1.0}, "revoked"),
        ({}, "usable"),
    ],
)
def test_a_key_ends_at_its_end_or_when_it_is_revoked(fields: dict[str, Any], answer: str) -> None:
    """To the instant; a revoked one is revoked whatever a wall clock says of when."""
    text, key = made(**fields)
    found = KeyRing([key]).find(text, NOW)
    assert found == (key if answer == "usable" else KeyFault(answer))
    assert state(key, NOW) == answer


def test_only_its_holder_learns_that_a_key_has_ended() -> None:
    """To whoever guesses, a revoked key looks like any other."""
    endings: list[dict[str, Any]] = [{"revoked": NOW}, {"expires": NOW}]
    for ended in endings:
        text, key = made(**ended)
        assert KeyRing([key]).find(text[:12] + b"a" * 56, NOW) is KeyFault.WRONG


def test_two_keys_cannot_share_an_id() -> None:
    """Which of them counts would be left open."""
    _, key = made()
    with pytest.raises(UsageError):
        KeyRing([key, msgspec.structs.replace(key, client="another")])


def test_keys_are_needed_as_soon_as_there_is_one_of_any_state() -> None:
    """One that has ended does not open the door to everybody."""
    assert not NO_KEYS.required
    assert KeyRing([made(revoked=NOW)[1]]).required
    assert KeyRing([made(expires=NOW - 1.0)[1]]).required
    assert KeyRing(required=True).required
    assert KeyRing(required=True).find(made()[0], NOW) is KeyFault.UNKNOWN


def test_keys_are_counted_by_state() -> None:
    """At the moment that is asked about."""
    ring = KeyRing([made(1)[1], made(2, expires=NOW)[1], made(3, revoked=NOW)[1], made(4, expires=NOW + 1.0)[1]])
    assert ring.counts(NOW) == KeyCounts(usable=2, expired=1, revoked=1)
    assert ring.counts(NOW + 1.0) == KeyCounts(usable=1, expired=2, revoked=1)


def test_every_key_costs_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """One hash of the whole of it and one comparison of 32 bytes that does not stop early, whether it is right, wrong,
    unknown, revoked or expired; so that time tells nothing.
    """
    done: Counter[tuple[str, int]] = Counter()

    def hashed(data: bytes) -> Any:
        done["hash", len(data)] += 1
        return hashlib.sha256(data)

    def compared(one: bytes, other: bytes) -> bool:
        done["compare", len(one)] += 1
        assert len(one) == len(other)
        return hmac.compare_digest(one, other)

    texts = {
        "right": made(1),
        "revoked": made(2, revoked=NOW),
        "expired": made(3, expires=NOW),
    }
    ring = KeyRing(key for _, key in texts.values())
    shown = {name: text for name, (text, _) in texts.items()}
    shown |= {"wrong": texts["right"][0][:-1] + b"x", "unknown": made(9)[0]}
    monkeypatch.setattr(keys, "sha256", hashed)
    monkeypatch.setattr(keys, "compare_digest", compared)
    work = {}
    for name, text in shown.items():
        done.clear()
        ring.find(text, NOW)
        work[name] = dict(done)
    assert all(one == {("hash", KEY_LENGTH): 1, ("compare", 32): 1} for one in work.values()), work


def test_an_id_is_taken_out_of_a_whole_key_alone() -> None:
    """People paste what they have; anything else stays as it is."""
    text, key = made()
    assert id_in(text.decode()) == key.id
    assert id_in(key.id) == key.id
    assert id_in(text.decode()[:-1]) == text.decode()[:-1]


def test_what_is_meant_to_be_ours_is_known_even_if_it_is_not_whole() -> None:
    """So that it is handed to nobody."""
    text, _ = made()
    assert is_ours(text)
    assert is_ours(text[:20])
    for around in (b"Bearer %b", b"Bearer \t%b", b"Bearer\t%b", b"Bearer %b x", b"Bearer x,%b", b'Bearer "%b"'):
        assert is_ours(around % text)
    for foreign in (b"sk-ant-0123", b"Bearer sk-pm_x", b"rpm_limit", b"Bearer a_pm_b"):
        assert not is_ours(foreign)
