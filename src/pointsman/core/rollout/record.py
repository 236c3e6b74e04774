"""The lines of a rollout's record: how they are written, and what may be believed of them.

One line a step, JSON: `v`, the version of this format; `entry`, the step; `sum`, the SHA-256 of the bytes of `entry`.
Each entry also holds the SHA-256 of the line before it, so nothing can be changed, left out or put in between without
a trace. A last line without its end was being written when the process died: it is left out, and said. Its step was
never announced, unless it was a rollback, which is in force before it is written (`may_be_rollback`). Anything else
that is not as it was written is damage, and nothing is guessed: the caller is told what and where, and leaves
everything to the legacy. So is a last line that this program never began to write: it is somebody else's.

Limits: whoever may write the file can write a whole new chain, and whole lines missing at the end leave no trace. The
chain shows accidents and hasty hands, not a thorough forger.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from pointsman.core.rollout.stages import BEGINNING, Position, is_step
from pointsman.model.rollout import Entry

VERSION: Final = 1
"""Of the format; a larger one is not read."""

LONGEST_TEXT: Final = 2_000
"""Characters of an actor, a reason or a reference; what goes beyond is cut."""


class _Line(msgspec.Struct, frozen=True):
    v: int
    entry: msgspec.Raw
    sum: str


class _Version(msgspec.Struct, frozen=True):
    v: int


class Damaged(ValueError):
    """The record cannot be believed; the text says which line and why.

    Args:
        line: its number, 1.. and rising.
        text: what is wrong with it.
        tampered: the line reads well, but is not as it was written: somebody has changed it.
    """

    def __init__(self, line: int, text: str, *, tampered: bool = False) -> None:
        self.tampered = tampered
        super().__init__(f"line {line} {text}")


class Reading(NamedTuple):
    """What a record says.

    Attributes:
        entries: the steps, the oldest first.
        head: SHA-256 of the last line, hexadecimal; empty where there is none.
        good_bytes: length of the whole lines.
        torn_bytes: length of a last line without its end; 0 where there is none.
    """

    entries: list[Entry]
    head: str
    good_bytes: int
    torn_bytes: int


_encoder: Final = msgspec.json.Encoder()
_line_decoder: Final = msgspec.json.Decoder(_Line)
_version_decoder: Final = msgspec.json.Decoder(_Version)
_entry_decoder: Final = msgspec.json.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """Return the line of an entry, with its end."""
    body = _encoder.encode(entry)
    return _encoder.encode(_Line(VERSION, msgspec.Raw(body), sha256(body).hexdigest())) + b"\n"


def tidy(text: str) -> str:
    """Return a text of somebody's as it may stand in a line: of bounded length, and nothing that UTF-8 cannot say."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")


def digest(line: bytes) -> str:
    """Return the SHA-256 of a line, which the next entry holds as `previous`."""
    return sha256(line.rstrip(b"\n")).hexdigest()


def new_id(at: float, seq: int, previous: str) -> str:
    """Return an id for the rollout that a step begins; another for each place in each chain."""
    return "r-" + sha256(f"{at}:{seq}:{previous}".encode()).hexdigest()[:12]


def read(data: bytes) -> Reading:
    """Return what a whole file says.

    Raises:
        Damaged: a line but a torn last one is not as it was written, or is of a newer version; or the torn one is not
            the beginning of the next step.
    """
    lines = data.split(b"\n")
    torn = lines.pop()
    entries: list[Entry] = []
    head, position = "", BEGINNING
    for number, line in enumerate(lines, 1):
        entry = _decode(line, number)
        position = _follow(position, entry, number, head)
        entries.append(entry)
        head = digest(line)
    if torn and not _is_begun(torn, len(lines) + 1):
        raise Damaged(len(lines) + 1, "has no end and is none of ours, so that it is not cut away")
    return Reading(entries, head, len(data) - len(torn), len(torn))


def may_be_rollback(torn: bytes) -> bool:
    """Whether a line without its end was that of a rollback, or was cut off before it could say what it was."""
    event = torn.partition(b'"event":"')[2].partition(b'"')[0]
    return b"rollback".startswith(event) or b"trip".startswith(event)


def _is_begun(torn: bytes, number: int) -> bool:
    """Whether it is a line of ours as far as it goes, or the zeros that a loss of power leaves of one."""
    begun = b'{"v":%d,"entry":{"seq":%d,' % (VERSION, number)
    return torn.startswith(begun) or begun.startswith(torn) or (number > 1 and not torn.strip(b"\0"))


def position_of(entry: Entry | None) -> Position:
    """Return where a rollout stands after an entry; None is before the first."""
    return BEGINNING if entry is None else Position(entry.now, entry.stage, entry.share)


def _decode(line: bytes, number: int) -> Entry:
    try:
        version = _version_decoder.decode(line).v
        if version > VERSION:
            text = f"is of version {version} of the format, and this program knows {VERSION}: run the newer program"
            raise Damaged(number, text)
        whole = _line_decoder.decode(line)
        if sha256(whole.entry).hexdigest() != whole.sum:
            raise Damaged(number, "was changed after it was written: its sum is of another text", tampered=True)
        return _entry_decoder.decode(whole.entry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Damaged(number, f"is none of ours: {error}") from None


def _follow(position: Position, entry: Entry, number: int, head: str) -> Position:
    """Return where an entry leads to from `position`; it must be its step, and the next in the chain."""
    if entry.seq != number:
        text = f"is step {entry.seq}, and step {number} belongs there: lines were taken out, put in or exchanged"
        raise Damaged(number, text, tampered=True)
    if entry.previous != head:
        raise Damaged(number, "does not follow the line before it, which was changed or exchanged", tampered=True)
    now = position_of(entry)
    if entry.was is not position.state or not is_step(position, entry.event, now):
        text = (
            f"is no step that a rollout takes: {entry.event!r} from {position.stage} to {entry.stage} with a share of"
            f" {entry.share:g}"
        )
        raise Damaged(number, text, tampered=True)
    return now
