"""The file of keys: lines in any order mean the same, a write that never ended is left out, damage is refused."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.key_lines import VERSION, created_line, is_name, read, revoked_line
from pointsman.core.keys import ID_BYTES, SECRET_BYTES, KeyRing, compose, digest_of
from pointsman.model.errors import SettingsError
from pointsman.model.keys import ApiKey

IDS = [compose(bytes([number] * ID_BYTES), bytes(SECRET_BYTES))[0] for number in range(6)]


def key(number: int = 0, **fields: Any) -> ApiKey:
    """Return a key as it is kept."""
    known = {"name": f"n{number}", "client": "team:a", "digest": digest_of(str(number)), "created": 100.0}
    return ApiKey(id=IDS[number], **{**known, **fields})


def shown(ring: KeyRing) -> dict[str, ApiKey]:
    """Return keys by id."""
    return {one.id: one for one in ring}


Step = tuple[str, int, float]
STEPS = st.lists(
    st.tuples(st.sampled_from(["create", "revoke"]), st.integers(0, len(IDS) - 1), st.floats(0.0, 1e10)), max_size=14
)


def written(steps: list[Step]) -> tuple[list[bytes], dict[str, ApiKey]]:
    """Return the lines of what was done, each id made once, and what they mean by a model that is a plain dict."""
    lines: list[bytes] = []
    keys: dict[str, ApiKey] = {}
    revoked: dict[str, float] = {}
    for what, number, instant in steps:
        if what == "revoke":
            revoked[IDS[number]] = min(instant, revoked.get(IDS[number], instant))
            lines.append(revoked_line(IDS[number], instant))
        elif IDS[number] not in keys:
            keys[IDS[number]] = key(number, expires=instant if number % 2 else None, group="g" if number % 3 else "")
            lines.append(created_line(keys[IDS[number]]))
    model = {key_id: msgspec.structs.replace(one, revoked=revoked.get(key_id)) for key_id, one in keys.items()}
    return lines, model


@given(STEPS, st.randoms(use_true_random=False))
def test_what_was_written_is_read_in_whatever_order(steps: list[Step], rng: random.Random) -> None:
    """A key that was revoked stays revoked, wherever its lines stand."""
    lines, model = written(steps)
    assert shown(read(b"".join(lines)).ring) == model
    rng.shuffle(lines)
    ledger = read(b"".join(lines))
    assert shown(ledger.ring) == model
    assert ledger.ring.required == bool(lines)
    assert (ledger.whole_bytes, ledger.ends_line) == (sum(map(len, lines)), True)


@given(STEPS, st.data())
def test_a_file_cut_anywhere_keeps_every_line_that_is_whole(steps: list[Step], data: st.DataObject) -> None:
    """As a crash in the middle of a write leaves it; what follows the cut can be written behind it."""
    lines, _ = written(steps)
    whole = b"".join(lines)
    cut = data.draw(st.integers(0, len(whole)))
    ledger = read(whole[:cut])
    kept, end = [], 0
    for line in lines:
        end += len(line)
        if cut >= end - 1:
            kept.append(line)
    assert shown(ledger.ring) == shown(read(b"".join(kept)).ring)
    behind = whole[: ledger.whole_bytes] + (b"" if ledger.ends_line else b"\n") + created_line(key(5, name="late"))
    if IDS[5] not in shown(ledger.ring):
        assert shown(read(behind).ring)[IDS[5]].name == "late"


@pytest.mark.parametrize("torn", [b"{", b'{"do":"create","v":1', b"\x00\x00\x00", b"\xff\xfe", b'{"v":1}x', b"["])
def test_a_last_line_that_is_no_json_is_left_out(torn: bytes) -> None:
    """Nobody was told that it was written."""
    whole = created_line(key())
    ledger = read(whole + torn)
    assert shown(ledger.ring) == {IDS[0]: key()}
    assert (ledger.whole_bytes, ledger.ends_line) == (len(whole), True)


def test_a_last_line_without_its_end_counts() -> None:
    """An editor may have taken the line end; what it revokes is revoked."""
    ledger = read(created_line(key()) + revoked_line(IDS[0], 5.0).rstrip(b"\n"))
    assert shown(ledger.ring)[IDS[0]].revoked == 5.0
    assert not ledger.ends_line


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'{"v":1}',
        b'{"v":1,"do":"grant","id":"aaaaaaaa"}',
        b'{"v":1,"do":"revoke","id":"aaaaaaaa"}',
        b'{"v":1,"do":"revoke","id":"AAAAAAAA","revoked":1}',
        b'{"v":1,"do":"revoke","id":"aaaaaaaa\\n","revoked":1}',
        b'{"v":1,"do":"revoke","id":"aaaaaaaa","revoked":-1}',
        b'{"v":1,"do":"revoke","id":"aaaaaaaa","revoked":1,"more":2}',
        b'{"v":"1","do":"revoke","id":"aaaaaaaa","revoked":1}',
        b'{"v":true,"do":"revoke","id":"aaaaaaaa","revoked":1}',
        created_line(key()).replace(b'"team:a"', b'"team a"').strip(),
        created_line(key()).replace(b'"n0"', b'"n0\\n"').strip(),
        created_line(key()).replace(b'"sha256":"', b'"sha256":"0').strip(),
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_a_line_that_is_not_understood_is_refused_with_its_number(bad: bytes) -> None:
    """It might be the one that revokes. Nothing of it is repeated: somebody may have pasted a key there."""
    with pytest.raises(SettingsError, match=r"line 2: neither makes") as caught:
        read(created_line(key(1)) + bad + b"\n" + created_line(key(2)))
    assert bad.decode("latin-1")[:200] not in str(caught.value) or len(bad) < 8


def test_a_later_format_is_refused_and_says_so() -> None:
    """A key with less rights than this version knows of would have too many; also where it is the last line."""
    line = b'{"v":2,"do":"create","may":["read"]}'
    for tail in (b"", b"\n"):
        with pytest.raises(SettingsError, match="line 2: format 2, and this version of Pointsman knows 1 only"):
            read(created_line(key()) + line + tail)
    assert VERSION == 1


def test_an_id_is_made_once() -> None:
    """The second line is named."""
    with pytest.raises(SettingsError, match=f"line 3: key {IDS[0]} stands there already"):
        read(created_line(key()) + b"\n" + created_line(key(0, name="other")))


def test_empty_lines_say_nothing() -> None:
    """Nor does an empty file, which asks nobody for a key."""
    assert shown(read(b"\n\n" + created_line(key()) + b" \r\n").ring) == {IDS[0]: key()}
    empty = read(b"")
    assert (len(empty.ring), empty.ring.required, empty.whole_bytes, empty.ends_line) == (0, False, 0, True)


def test_a_file_that_only_revokes_still_asks_for_keys() -> None:
    """There have been some, and their lines were lost."""
    assert read(revoked_line(IDS[0], 5.0)).ring.required


@pytest.mark.parametrize("name", ["a", "team-a:bot.1@x", "x" * 64, "A_9"])
def test_names_are_plain(name: str) -> None:
    """As in headers."""
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "a/b", "a\n", "\n", "é", "a,b", "a\x00"])
def test_what_could_mislead_is_no_name(name: str) -> None:
    """A slash parts a client from its sub-client."""
    assert not is_name(name)
