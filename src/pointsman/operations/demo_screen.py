"""The live picture of the demonstration for a terminal, and plain lines where there is none."""

from __future__ import annotations

from rich.cells import set_cell_size
from rich.console import Group
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pointsman.operations.demo_fleet import CAST
from pointsman.operations.demo_tally import Story, Tally
from pointsman.runtime.fleet import WorkerView

_CLASS_STYLES = {"strategic": "magenta", "tactical": "cyan"}
_RESULT_STYLES = {"delivered": "green", "failed": "red", "dead": "red", "expired": "yellow", "cancelled": "yellow"}
_BREAKER_STYLES = {"closed": "green", "open": "bold red", "half_open": "yellow"}
_BAR = 18
_WIDE = 80
_COLUMNS = {"worker": 0, "by": 100, "busy": 90, "share of traffic": 0, "mean": 60, "bad": 70, "breaker": 0}
"""Columns of the workers' table, each with the width of the table from which on it is shown."""


def picture(tally: Tally, workers: list[WorkerView], url: str, sent: int, width: int, height: int) -> Layout:
    """Return the whole screen: a head line, workers and counts beside each other, and the feed below."""
    layout = Layout()
    layout.split_column(
        Layout(_head(tally, url, sent), size=3),
        Layout(name="middle", size=10),
        Layout(_feed(tally, max(3, height - 17))),
    )
    layout["middle"].split_row(
        Layout(_workers(tally, workers, width * 5 // 8), ratio=5), Layout(_counts(tally), ratio=3)
    )
    return layout


def _head(tally: Tally, url: str, sent: int) -> Panel:
    overhead = tally.overhead_ms()
    done = sum(tally.ends.values())
    line = Text.assemble(
        ("Pointsman ", "bold"),
        f"{url}   sent {sent}   admitted {tally.admitted}   ended {done}   in hand {tally.admitted - done}   overhead ",
        (f"p50 {overhead['p50']:.2f} ms  p95 {overhead['p95']:.2f} ms", "bold green"),
    )
    return Panel(line, border_style="dim")


def _workers(tally: Tally, workers: list[WorkerView], width: int) -> Panel:
    table = Table(box=None, expand=True, pad_edge=False)
    columns = [name for name in _COLUMNS if width >= _COLUMNS[name]]
    for name in columns:
        table.add_column(name, no_wrap=True, justify="right" if name in {"mean", "bad"} else "left")
    notes = {actor.id: actor.note for actor in CAST}
    most = max((one.delivered for one in tally.workers.values()), default=0)
    for worker in workers:
        its = tally.workers.get(worker.id)
        delivered = its.delivered if its else 0
        calls = delivered + (its.failed if its else 0)
        mean = f"{its.seconds / calls * 1000:.0f} ms" if its and calls else "-"
        bar = "█" * round(_BAR * delivered / most) if most else ""
        note = f" ({notes[worker.id]})" if notes.get(worker.id) else ""
        cells: dict[str, str | Text] = {
            "worker": Text.assemble(worker.id, (note if width >= _WIDE else "", "dim")),
            "by": "stdio" if worker.transport == "subprocess" else worker.transport,
            "busy": "●" * worker.in_flight + "○" * (worker.max_in_flight - worker.in_flight),
            "share of traffic": Text.assemble((bar, "cyan" if worker.pool == "coders" else "magenta"), f" {delivered}"),
            "mean": mean,
            "bad": Text(str(its.failed if its else 0), style="red" if its and its.failed else "dim"),
            "breaker": Text(worker.breaker, style=_BREAKER_STYLES.get(worker.breaker, "")),
        }
        table.add_row(*(cells[name] for name in columns))
    return Panel(table, title="workers (they only pretend to work)", border_style="dim")


def _counts(tally: Tally) -> Panel:
    table = Table(box=None, expand=True, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, style in _CLASS_STYLES.items():
        table.add_row(Text(name, style=style), str(tally.classes[name]))
    table.add_row("decided by", ", ".join(f"{cause} {count}" for cause, count in tally.causes.most_common(4)))
    for name, count in tally.ends.most_common():
        table.add_row(Text(name, style=_RESULT_STYLES.get(name, "")), str(count))
    for reason, count in tally.refused.most_common(3):
        clients = ", ".join(client for client, _ in tally.refused_clients.most_common(2))
        table.add_row(Text(f"refused: {reason}", style="yellow"), f"{count} ({clients})")
    return Panel(table, title="messages", border_style="dim")


def _feed(tally: Tally, rows: int) -> Panel:
    table = Table(box=None, expand=True, pad_edge=False, header_style="dim")
    table.add_column("client", width=14, no_wrap=True)
    table.add_column("message", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("class", width=9, no_wrap=True)
    table.add_column("why", width=22, no_wrap=True, overflow="ellipsis")
    table.add_column("worker", width=21, no_wrap=True, overflow="ellipsis")
    table.add_column("result", width=22, no_wrap=True, overflow="ellipsis")
    table.add_column("ms", width=6, justify="right")
    for story in list(tally.feed)[-rows:]:
        table.add_row(
            Text(story.client),
            Text(_printable(story.text)),
            Text(story.message_class, style=_CLASS_STYLES.get(story.message_class, "")),
            Text(_printable(story.why), style="dim"),
            Text(story.worker),
            Text(story.result, style=_RESULT_STYLES.get(story.result, "yellow")),
            f"{story.total_s * 1000:.0f}" if story.total_s else "",
        )
    return Panel(table, title="who got what, and why", border_style="dim")


def plain_line(story: Story) -> str:
    """Return one line of the feed for a log or a pipe."""
    took = f"{story.total_s * 1000:.0f} ms" if story.total_s else ""
    text = set_cell_size(_printable(story.text), 48)
    parts = (f"{story.client:<14}", text, f"{story.message_class:<9}", f"{story.why[:22]:<22}", f"{story.worker:<21}")
    return "  ".join((*parts, story.result, took)).rstrip()


def closing(tally: Tally, workers: list[WorkerView], sent: int, unanswered: int, width: int) -> Group:
    """Return the summary: numbers that add up, shown so that one can check."""
    ends = dict(tally.ends)
    refused = sum(tally.refused.values())
    overhead = tally.overhead_ms()
    sums = Table(title="What became of them", title_justify="left", box=None, show_header=False, pad_edge=False)
    sums.add_column()
    sums.add_column(justify="right")
    sums.add_row("sent", str(sent))
    sums.add_row("= admitted + refused", f"{tally.admitted} + {refused}")
    for name in ("delivered", "failed", "dead", "expired", "cancelled"):
        sums.add_row(f"  {name}", str(ends.get(name, 0)), style=_RESULT_STYLES[name] if ends.get(name) else "dim")
    sums.add_row("  in hand", str(tally.admitted - sum(ends.values())))
    for reason, count in tally.refused.most_common():
        sums.add_row(f"  refused: {reason}", str(count), style="yellow")
    if unanswered:
        sums.add_row("  sender got no answer", str(unanswered), style="red")
    sums.add_row("overhead p50 / p95 / p99", " / ".join(f"{overhead[name]:.2f}" for name in overhead) + " ms")
    return Group(Text(), _workers(tally, workers, width), Text(), sums, Text())


def suggestions(url: str) -> list[str]:
    """Return three commands to try."""
    return [
        f"curl -s {url}/api/v1/messages -H 'content-type: application/json' -d '{{\"text\": \"plan the migration\"}}'",
        f"curl -s {url}/api/v1/decisions -H 'content-type: application/json' -d '{{\"text\": \"fix the typo\"}}'",
        f"curl -s {url}/metrics | grep pointsman_messages",
    ]


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "·" for character in text)
