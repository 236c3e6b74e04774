"""The settings file that `pointsman init` writes: the defaults, commented, and worked examples.

Keys, defaults and comments are made from the tree, so that the file never says what is no longer true. A line
that begins with `#` and no blank is a setting: without the `#` it says what holds anyway, but for the
examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pointsman.config.shape import Entry, Named, Table, tree
from pointsman.config.values import toml
from pointsman.model.settings import BudgetSettings, PriceSettings, QuotaSettings

_HEAD: Final = """\
# Settings of Pointsman. Everything has a default: an empty file works, and so does none.
#
# A line like `#key = value` shows a default; take the # away to change it. `pointsman config check` finds
# mistakes, `pointsman config explain` shows what is in force and where it came from. Any key can be set from
# outside as well, for instance limits.burst by POINTSMAN__LIMITS__BURST=50.
"""

_EXAMPLES: Final = {
    "classifier": """\
# A rule of your own: this phrase speaks for that class, with that weight (natural log-odds).
#[[classifier.rules]]
#phrase = "release notes"
#message_class = "tactical"
#weight = 2.0
""",
    "pools.planners": """\
# A worker reached over HTTP: it gets {"id", "text", ...} by POST and answers {"text": "..."}. Take the # from
# these lines and say where yours listens. Without a worker, senders who wait are refused with no_worker.
#[[pools.planners.workers]]
#id = "planner-1"
#transport = "http"
#url = "http://127.0.0.1:9001/"
#auth = { env = "PLANNER_TOKEN" }  # sent as a bearer token; leave it out if the worker wants none
#max_in_flight = 4

# Workers that speak the protocol of OpenAI or Anthropic get a client's request as it is, but for `model`, and
# the client gets their answer as it is. `url` is what clients of that API take for its base URL.
#[[pools.planners.workers]]
#id = "planner-2"
#transport = "openai"
#url = "https://llm.example.com/v1"
#model = "large-model"
#auth = { file = "secrets/llm-key" }  # read again when it changes
#quota = "account"                   # see [quotas.account] below
#proxy = "http://proxy.example.com:3128"
#[pools.planners.workers.tls]
#ca_file = "certificates/authority.pem"
#cert_file = "certificates/router.pem"
#key_file = "certificates/router.key"
#server_name = "llm.example.com"
#[[pools.planners.workers]]
#id = "planner-3"
#transport = "anthropic"
#url = "https://api.anthropic.com"
#model = "claude-opus-4-5"
#auth = { env = "ANTHROPIC_KEY" }    # or "passthrough", the key that the client sent: in a pool without others
""",
    "pools.coders": """\
#[[pools.coders.workers]]
#id = "coder-1"
#transport = "http"
#url = "http://127.0.0.1:9002/"
#max_in_flight = 8

# A worker that is a program of its own: it reads a message a line on stdin and answers a line on stdout.
#[[pools.coders.workers]]
#id = "coder-2"
#transport = "subprocess"
#command = ["python", "my_coder.py"]
#max_in_flight = 1
""",
}
"""Written by hand: what a default cannot show."""

_EXAMPLE_TABLES: Final[dict[str, tuple[str, Any]]] = {
    "prices": (
        "large-model",
        PriceSettings(input=5.0, cached_input=0.5, cache_write=6.25, output=25.0),
    ),
    "budgets": ("everything", BudgetSettings(money=50.0, tokens=20_000_000)),
    "quotas": ("account", QuotaSettings(rpm=1000)),
}
"""One table of each kind of which there is none by default: its name, and what is in it."""


def template() -> str:
    """Return the text of the file. It loads without a mistake as it is, and means the defaults."""
    parts = [_HEAD]
    for key, entry in tree().entries.items():
        parts.append(f"# {'-' * 8} {entry.description}\n")
        if isinstance(entry.shape, Named):
            parts += _named(key, entry.shape.of, entry.default)
        elif isinstance(entry.shape, Table):
            parts += _table(f"[{key}]", key, entry.shape, None, explained=True)
    return "\n".join(parts)


def _named(key: str, of: Table, default: dict[str, Any]) -> Iterator[str]:
    if not default:
        yield from _example_table(key, of)
        return
    yield f"# The {key} named here replace the default ones, all of them.\n"
    for place, (name, one) in enumerate(default.items()):
        yield from _table(f"[{key}.{name}]", f"{key}.{name}", of, one, explained=place == 0)


def _example_table(key: str, of: Table) -> Iterator[str]:
    name, values = _EXAMPLE_TABLES[key]
    yield "# There are none by default. One would look like this:\n"
    for part in _table(f"[{key}.{name}]", f"{key}.{name}", of, values, explained=True):
        yield "\n".join(f"#{line}" if line and not line.startswith("#") else line for line in part.split("\n"))


def _table(header: str, key: str, table: Table, values: Any, *, explained: bool) -> Iterator[str]:
    """Yield a table: keys with a value of their own, then the others commented, then the tables within."""
    lines = [header]
    for name, entry in table.entries.items():
        value = entry.default if values is None else getattr(values, name)
        if entry.required or value != entry.default:
            lines += [*_about(entry, explained=explained), f"{name} = {toml(value)}"]
        elif explained:
            lines += _commented(name, entry)
    yield "\n".join([*lines, ""])
    for name, entry in table.entries.items():
        if explained and isinstance(entry.shape, Table) and not entry.shape.is_secret:
            inner = f"{key}.{name}"
            yield from _table(f"#[{inner}]", inner, entry.shape, None, explained=True)
    if key in _EXAMPLES:
        yield _EXAMPLES[key]


def _about(entry: Entry, *, explained: bool) -> list[str]:
    return [f"# {entry.description}"] if explained else []


def _commented(name: str, entry: Entry) -> list[str]:
    if isinstance(entry.shape, Table):
        return [f"# {name}: {entry.description}; {entry.shape.expected}"] if entry.shape.is_secret else []
    if entry.default is None:
        return [f"# {name}: {entry.description}"]
    if entry.default == [] and _is_list_of_tables(entry):
        return []
    return [f"# {entry.description}", f"#{name} = {toml(entry.default)}"]


def _is_list_of_tables(entry: Entry) -> bool:
    return isinstance(getattr(entry.shape, "of", None), Table)
