"""Reads Prometheus' text format, strictly: to see that what we write can be read.

Source: prometheus.io, "Exposition formats", version 0.0.4. Stricter than it where we are: each family announces its
type, its samples follow at once, and none stands twice.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from pointsman.model.errors import UsageError

_TYPE: Final = re.compile(r"# TYPE ([a-zA-Z_][a-zA-Z0-9_]*) (counter|gauge|histogram)")
_HELP: Final = re.compile(r"# HELP ([a-zA-Z_][a-zA-Z0-9_]*) .*")
_SAMPLE: Final = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)(?:\{(.*)\})? (\S+)")
_PAIR: Final = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)')
_OF_HISTOGRAM: Final = ("_bucket", "_count", "_sum")


class Unreadable(UsageError):
    """A text that is no exposition; says in which line, and why."""

    def __init__(self, number: int, line: str, why: str) -> None:
        super().__init__(f"line {number}: {why}: {line[:120]!r}")


class Exposition(msgspec.Struct, frozen=True):
    """What was read.

    Attributes:
        kinds: kind of each family by name.
        samples: value of each series, by name and labels as they stand there.
    """

    kinds: dict[str, str]
    samples: dict[str, float]


def parse(text: str) -> Exposition:
    """Return what an exposition says.

    Raises:
        Unreadable: it is none.
    """
    if not text.endswith("\n"):
        raise Unreadable(text.count("\n") + 1, text[-120:], "the last line has no end")
    kinds: dict[str, str] = {}
    samples: dict[str, float] = {}
    family = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            family = _family(number, line, kinds) or family
            continue
        match = _SAMPLE.fullmatch(line)
        if match is None:
            raise Unreadable(number, line, "no sample")
        name, labels, value = match.groups()
        if not _belongs(name, family, kinds):
            raise Unreadable(number, line, "its family was not announced just before")
        if labels and _PAIR.sub("", labels):
            raise Unreadable(number, line, "its labels cannot be read")
        series = line[: match.start(3) - 1]
        if series in samples:
            raise Unreadable(number, line, "this series stands twice")
        try:
            samples[series] = float(value)
        except ValueError:
            raise Unreadable(number, line, "its value is no number") from None
    return Exposition(kinds, samples)


def _family(number: int, line: str, kinds: dict[str, str]) -> str:
    """Return the family that a comment announces, or nothing."""
    match = _TYPE.fullmatch(line)
    if match is None:
        if _HELP.fullmatch(line) is None:
            raise Unreadable(number, line, "neither HELP nor TYPE")
        return ""
    name, kind = match.groups()
    if name in kinds:
        raise Unreadable(number, line, "this family stands twice")
    kinds[name] = kind
    return name


def _belongs(name: str, family: str, kinds: dict[str, str]) -> bool:
    if kinds.get(family) != "histogram":
        return name == family
    return any(name == family + ending for ending in _OF_HISTOGRAM)
