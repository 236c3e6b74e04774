"""How a rollout looks to an operator: who answers how much, how the guard sees it, and what may be done next.

Made of what `GET /api/v1/rollout` answers. Only the picture: what may follow on what is decided in the router.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pointsman.cli import figures
from pointsman.cli.live import Line, Part, View

_WIDE: Final = 100
"""From so many columns on there is room for long bars."""

_LONGEST_NOTE: Final = 110
_STATES: Final = {
    "disabled": "bold",
    "shadow": "bold cyan",
    "partial": "bold cyan",
    "full": "bold green",
    "completed": "bold green",
    "paused": "bold yellow",
    "rolled_back": "bold red",
}
_VERDICTS: Final = {"pass": "green", "fail": "bold red", "hold": "yellow", "no_data": "dim"}
_GATES: Final = {"error": "errors"}
_COUNTED: Final = ("compared", "dropped", "timed_out")


def picture(seen: View, now: float, width: int) -> list[Line]:
    """Return the whole picture as lines for a screen of `width` columns; `now` in Unix seconds."""
    if not seen["configured"]:
        return [[("No rollout: the settings name no old router, `rollout.legacy`.", "")]]
    lines = [_head(seen, now, width), *_alarms(seen, now, width)]
    lines += _lanes(seen, width)
    lines += _times(seen, now)
    lines.append(_next(seen))
    lines += _last(seen["history_head"], now, width)
    return lines


def one_line(brief: View, now: float) -> str:
    """Return how a rollout stands in one line, for `pointsman status`."""
    words = [_stage(brief), f"{share(_share_now(brief))} of the keys here"]
    if brief["realised_share"] is not None and brief["share"]:
        words.append(f"{figures.share(brief['realised_share'])} of the messages")
    if brief["since"] is not None:
        words.append(f"for {_lasted(brief['since'], now)}")
    wrong = [name.upper() for name in ("killed", "alarm", "locked") if brief[name]]
    return ", ".join(words + wrong)


def share(value: float) -> str:
    """Return a share that somebody has set (0..1) in percent, without places that are 0."""
    return f"{100 * value:.4g} %"


def essence(seen: View) -> object:
    """Return what of a rollout is worth another picture in a log: its steps, its troubles and its verdicts."""
    head = seen["history_head"]
    verdicts = [(one["gate"], one["verdict"]) for one in seen["verdicts"]]
    words = [seen[name] for name in ("configured", "state", "stage", "share", "locked", "killed", "alarm")]
    return words, head and head["seq"], verdicts


def may_be_promoted_at(seen: View) -> float | None:
    """Return the Unix seconds from which on the stage may be promoted without force; None where nothing follows."""
    if not seen["next_stage"] or seen["since"] is None:
        return None
    return float(seen["since"]) + float(seen["stage_min_s"])


def _share_now(seen: View) -> float:
    """Return the share that is ours now: none while something holds everything at the legacy."""
    return 0.0 if seen["killed"] or seen["alarm"] else float(seen["share"])


def _lasted(since: float, now: float) -> str:
    return figures.duration(float(max(0, int(now - since))))


def _stage(seen: View) -> str:
    state, stage = seen["state"], seen["stage"]
    return f"paused in {stage}" if state == "paused" else state if state in {"rolled_back", "disabled"} else stage


def _head(seen: View, now: float, width: int) -> Line:
    parts: list[Part] = [("rollout  ", ""), (_stage(seen), _STATES.get(seen["state"], ""))]
    if seen["since"] is not None:
        parts.append((f"  since {figures.instant(seen['since'])} ({_lasted(seen['since'], now)})", ""))
    if seen["ref"]:
        parts.append((f"  {seen['ref']}", "bold"))
    return parts


def _alarms(seen: View, now: float, width: int) -> Iterable[Line]:
    """Return what is wrong, and what to do about it."""
    head = seen["history_head"]
    if seen["alarm"]:
        yield from _note("ALARM    ", f"{seen['alarm']}. Everything goes to the legacy.", width, "bold red")
    if seen["killed"]:
        text = f"by {seen['killed']}: everything goes to the legacy. Remove it, then `pointsman rollout ack`."
        yield from _note("KILLED   ", text, width, "bold red")
    if seen["locked"]:
        by = f"rolled back by {head['actor'] or 'somebody'}" if head and head["now"] == "rolled_back" else "rolled back"
        text = f"{by}. Look into it, then `pointsman rollout ack --reason TEXT`."
        yield from _note("LOCKED   ", text, width, "bold red")


def _lanes(seen: View, width: int) -> Iterable[Line]:
    messages, ours = seen["messages"], _share_now(seen)
    looked_on = seen["shadow_share"] or any(seen["shadow"].values())
    yield _lane("├─ legacy    ", 1.0 - ours, _count(messages, "legacy", "both"), "blue", width)
    count = _count(messages, "candidate")
    if seen["realised_share"] is not None and ours:
        count += f", {figures.share(seen['realised_share'])} of all"
    yield _lane("├─ candidate " if looked_on else "└─ candidate ", ours, count, "green", width)
    yield from _judged(seen, "│  " if looked_on else "   ", width)
    if looked_on:
        yield from _shadow(seen["shadow"], seen["shadow_share"], width)


def _lane(name: str, of_keys: float, count: str, style: str, width: int) -> Line:
    bar = figures.bar(of_keys, 24 if width >= _WIDE else 14)
    return [(name, ""), (f"{share(of_keys):>7}  ", ""), (bar, style), (f"  {count}", "")]


def _count(messages: Mapping[str, int], *lanes: str) -> str:
    return figures.count(sum(messages.get(lane, 0) for lane in lanes), "message")


def _judged(seen: View, indent: str, width: int) -> Iterable[Line]:
    """Return a line for each gate of the guard, and one for what fell back."""
    fallen, verdicts = seen["fallbacks"], [] if seen["state"] == "disabled" else seen["verdicts"]
    rows = len(verdicts) + bool(fallen)
    for place, one in enumerate(verdicts, 1):
        branch, beside = ("├─ ", "│  ") if place < rows else ("└─ ", "   ")
        word = one["verdict"]
        head: list[Part] = [
            (f"{indent}{branch}{_GATES.get(one['gate'], one['gate']):<9}", ""),
            (f"{word.replace('_', ' '):<8}", _VERDICTS.get(word, "")),
        ]
        if word == "no_data":
            head.append((one["detail"], "dim"))
        else:
            head.append((f"{figures.share(one['observed_share'])}, at most {figures.share(one['limit_share'])}", ""))
            head.append((f"  of {one['messages']:,} messages, {figures.count(one['clients'], 'client')}", "dim"))
        yield head
        if word in {"fail", "hold"}:
            yield from _note(f"{indent}{beside}{'':<17}", one["detail"], width, "")
    if fallen:
        named = ", ".join(f"{reason} {number:,}" for reason, number in sorted(fallen.items()))
        yield from _note(f"{indent}└─ fell back ", f"{sum(fallen.values()):,} to the legacy: {named}", width, "yellow")


def _shadow(counts: Mapping[str, int], mirrored: float, width: int) -> Iterable[Line]:
    """Return how much was looked at in the shadow, and what was different."""
    yield _lane("└─ shadow    ", mirrored, f"{counts.get('sampled', 0):,} mirrored", "cyan", width)
    known = [f"{counts[name]:,} {name.replace('_', ' ')}" for name in _COUNTED if counts.get(name)]
    kinds = {name: number for name, number in counts.items() if number and name not in {"sampled", *_COUNTED}}
    if known:
        yield [("   ├─ " if kinds else "   └─ ", ""), (" + ".join(known), "")]
    if kinds:
        named = ", ".join(f"{name} {number:,}" for name, number in sorted(kinds.items()))
        yield from _note("   └─ ", named, width, "")


def _times(seen: View, now: float) -> Iterable[Line]:
    """Return how long the stage lasts at least, as a bar."""
    due, least = may_be_promoted_at(seen), float(seen["stage_min_s"])
    if due is None or "promote" not in seen["allowed"]:
        return
    if now >= due:
        over = f"the minimum of {figures.duration(least)} is over" if least else "no minimum"
        yield [("time     ", ""), (f"{over}: it may be promoted", "")]
    else:
        bar = figures.bar(1.0 - (due - now) / least, 14)
        yield [
            ("time     ", ""),
            (bar, "dim"),
            (f"  may be promoted in {figures.duration(due - now)}, at {figures.instant(due)}", ""),
        ]


def _next(seen: View) -> Line:
    verbs = list(seen["allowed"])
    words = [f"promote to {seen['next_stage']}" if verb == "promote" and seen["next_stage"] else verb for verb in verbs]
    return [("next     ", ""), (", ".join(words) or "nothing", "bold"), (" (pointsman rollout VERB)", "dim")]


def _last(entry: View | None, now: float, width: int) -> Iterable[Line]:
    """Return the newest step, and why it was taken."""
    if entry is None:
        return
    forced = ", by force" if entry["forced"] else ""
    text = f"#{entry['seq']} {entry['event']} by {entry['actor'] or 'somebody'}, {figures.age(entry['at'], now)} ago"
    why = f": {entry['reason']}" if entry["reason"] else ""
    yield from _note("last     ", text + forced + why, width, "")
    if entry["evidence"]:
        yield from _note("         ", evidence(entry["evidence"]), width, "dim")


def evidence(of: Mapping[str, Any]) -> str:
    """Return the figures that led to a step."""
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in of.items()
    )


def _note(head: str, text: str, width: int, style: str) -> Iterable[Line]:
    """Return a text behind a head, folded below itself where it is long."""
    room = max(20, min(width, _LONGEST_NOTE + len(head)) - len(head))
    blank = "".join(char if char == "│" else " " for char in head)
    for place, piece in enumerate(textwrap.wrap(text, room) or [""]):
        yield [(blank if place else head, "" if place else style if head.strip("│├└─ ") else ""), (piece, style)]
