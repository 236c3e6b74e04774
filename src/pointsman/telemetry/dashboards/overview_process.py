"""The lower half of the first board: what messages cost, and how the process is."""

from __future__ import annotations

from typing import Final

from pointsman.telemetry.dashboards.build import Panel, Query, Row, increase, rate, total

MONEY: Final = Row(
    "Tokens and money",
    (
        Panel(
            title="Tokens",
            description="Tokens taken within the window, by kind.",
            queries=(Query(increase("pointsman_tokens_total", "kind"), "{{kind}}"),),
            width=6,
        ),
        Panel(
            title="Cost",
            description="Money taken within the window, by class, in the currency of the settings.",
            queries=(Query(increase("pointsman_cost_total", "class"), "{{class}}"),),
            width=6,
        ),
        Panel(
            title="Budgets",
            description="Spent and reserved share of each budget; of one that each has alone, of whoever is nearest.",
            unit="percentunit",
            queries=(
                Query(total("pointsman_budget_used_share", "budget", of="max"), "{{budget}}"),
                Query(total("pointsman_budget_reserved_share", "budget", of="max"), "{{budget}}, reserved"),
            ),
            width=6,
        ),
        Panel(
            title="Provider accounts, left",
            description="Share of what a provider grants that is left, by account and kind.",
            unit="percentunit",
            queries=(Query(total("pointsman_quota_left_share", "quota, kind", of="min"), "{{quota}} {{kind}}"),),
            width=6,
        ),
    ),
)

PROCESS: Final = Row(
    "The process",
    (
        Panel(
            title="Memory",
            description="Resident memory.",
            unit="bytes",
            queries=(Query(total("process_resident_memory_bytes", "instance"), "{{instance}}"),),
            width=6,
        ),
        Panel(
            title="Processor",
            description="Cores in use.",
            queries=(Query(rate("process_cpu_seconds_total", "instance"), "{{instance}}"),),
            width=6,
        ),
        Panel(
            title="Event loop lag",
            description="How late the event loop runs what is due; every message waits as long.",
            unit="s",
            queries=(Query(total("pointsman_event_loop_lag_seconds", "instance", of="max"), "{{instance}}"),),
            width=6,
        ),
        Panel(
            title="File descriptors",
            description="Open of those that may be open.",
            unit="percentunit",
            queries=(
                Query(
                    f"{total('process_open_fds', 'instance')} / {total('process_max_fds', 'instance')}", "{{instance}}"
                ),
            ),
            width=6,
        ),
        Panel(
            kind="stat",
            title="Running since",
            description="Time since the router started.",
            unit="s",
            queries=(Query(total("pointsman_uptime_seconds", "instance", of="min"), "{{instance}}"),),
            width=6,
            height=4,
        ),
        Panel(
            kind="stat",
            title="Version",
            description="What runs where.",
            queries=(Query(total("pointsman_build_info", "version"), "{{version}}"),),
            width=6,
            height=4,
        ),
        Panel(
            kind="stat",
            title="Settings",
            description="Whether the last reload was taken.",
            queries=(Query(total("pointsman_config_last_reload_successful", "instance", of="min"), "{{instance}}"),),
            width=6,
            height=4,
            warn=1,
            bad=0.5,
            words=((0, "not taken"), (1, "taken")),
        ),
        Panel(
            kind="stat",
            title="Observations without a series",
            description="Counted as `other` because their metric had no room for another label set.",
            queries=(Query(f"({total('pointsman_dropped_series_total')}) or vector(0)"),),
            width=6,
            height=4,
            warn=1,
            bad=1000,
        ),
    ),
)
