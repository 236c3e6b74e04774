"""The third board: the rollout beside the old router, the shadow, health, and security."""

from __future__ import annotations

from typing import Final

from pointsman.telemetry.dashboards.build import Board, Panel, Query, Row, quantile, rate, total

_NO_YES: Final = ((0, "no"), (1, "yes"))


def _flag(title: str, description: str, metric: str) -> Panel:
    return Panel(
        kind="stat",
        title=title,
        description=description,
        queries=(Query(total(metric, of="max")),),
        width=4,
        height=4,
        warn=1,
        bad=1,
        words=_NO_YES,
    )


_ROLLOUT: Final = Row(
    "Rollout",
    (
        Panel(
            kind="stat",
            title="State",
            description="Where the rollout stands.",
            queries=(Query(total("pointsman_rollout_state", "state", of="max") + " == 1", "{{state}}"),),
            width=4,
            height=4,
        ),
        Panel(
            kind="stat",
            title="Mirrored",
            description="Share of messages that are mirrored into the shadow now.",
            unit="percentunit",
            queries=(Query(total("pointsman_rollout_shadow_share", of="max")),),
            width=4,
            height=4,
        ),
        _flag("Locked", "It was rolled back, and nobody has acknowledged it.", "pointsman_rollout_locked"),
        _flag("Killed", "A kill file or the environment keeps all at the old router.", "pointsman_rollout_killed"),
        _flag("Alarm", "Its record cannot be used; everything goes to the old router.", "pointsman_rollout_alarm"),
        Panel(
            kind="stat",
            title="Fallbacks",
            description="Messages in a second that the old router answered in the candidate's place.",
            unit="reqps",
            queries=(Query(rate("pointsman_rollout_fallbacks_total")),),
            width=4,
            height=4,
        ),
        Panel(
            title="Share of the candidate",
            description="The share of keys it is to answer, and the share of messages it did answer in this stage.",
            unit="percentunit",
            queries=(
                Query(total("pointsman_rollout_target_share", of="max"), "target"),
                Query(total("pointsman_rollout_realised_share", of="max"), "realised"),
            ),
        ),
        Panel(
            title="Lanes",
            description="Messages in a second, by whom they were given to.",
            unit="reqps",
            queries=(Query(rate("pointsman_rollout_messages_total", "lane"), "{{lane}}"),),
        ),
        Panel(
            title="Gates of the guard",
            description="Share of bad messages each gate sees, and the share above which it rolls back.",
            unit="percentunit",
            queries=(
                Query(total("pointsman_rollout_gate_observed_share", "gate", of="max"), "{{gate}}"),
                Query(total("pointsman_rollout_gate_limit_share", "gate", of="max"), "{{gate}}, limit"),
            ),
        ),
        Panel(
            title="Fallbacks by reason",
            description="Why the candidate could not answer, in a second.",
            unit="reqps",
            queries=(Query(rate("pointsman_rollout_fallbacks_total", "reason"), "{{reason}}"),),
        ),
        Panel(
            title="Steps",
            description="Steps of the rollout since the router started.",
            queries=(Query(total("pointsman_rollout_transitions_total", "event"), "{{event}}"),),
        ),
        Panel(
            title="Old router",
            description="Time from receipt to the last byte of its answer.",
            unit="s",
            queries=(
                Query(quantile(0.5, "pointsman_legacy_seconds"), "p50"),
                Query(quantile(0.95, "pointsman_legacy_seconds"), "p95"),
            ),
        ),
        Panel(
            title="Old router, failed",
            description="Messages in a second that it did not answer, or with a 5xx.",
            unit="reqps",
            queries=(Query(rate("pointsman_legacy_failures_total")),),
        ),
    ),
)

_SHADOW: Final = Row(
    "Shadow",
    (
        Panel(
            title="Mirrored messages",
            description="Sampled messages in a second, by what became of them.",
            unit="reqps",
            queries=(Query(rate("pointsman_shadow_outcomes_total", "outcome"), "{{outcome}}"),),
        ),
        Panel(
            title="Comparisons",
            description="Compared messages in a second, by what the comparison came to.",
            unit="reqps",
            queries=(Query(rate("pointsman_shadow_differences_total", "kind"), "{{kind}}"),),
        ),
        Panel(
            title="Dropped",
            description="Mirrored messages in a second that were not looked at, by why. They never delay an answer.",
            unit="reqps",
            queries=(Query(rate("pointsman_shadow_drops_total", "reason"), "{{reason}}"),),
        ),
    ),
)

_HEALTH: Final = Row(
    "Health",
    (
        Panel(
            kind="state-timeline",
            title="Components",
            description="Last result of each component.",
            queries=(Query(total("pointsman_health_status", "component", of="min"), "{{component}}"),),
            width=12,
            warn=0.75,
            bad=0.25,
            words=((0, "fail"), (0.5, "warn"), (1, "pass")),
        ),
        Panel(
            kind="bargauge",
            title="Last looked at",
            description="Seconds since the last deep check of each component.",
            unit="s",
            queries=(
                Query(
                    "time() - " + total("pointsman_health_last_check_timestamp_seconds", "component", of="min"),
                    "{{component}}",
                ),
            ),
            width=6,
            warn=1000,
            bad=1800,
        ),
        Panel(
            title="Deep checks",
            description="How long the last deep check of each component took.",
            unit="s",
            queries=(Query(total("pointsman_health_check_seconds", "component", of="max"), "{{component}}"),),
            width=6,
        ),
        Panel(
            title="Checks by result",
            description="Deep checks since the router started, by result.",
            queries=(Query(total("pointsman_health_checks_total", "status"), "{{status}}"),),
            width=12,
        ),
    ),
)

_SECURITY: Final = Row(
    "Security",
    (
        Panel(
            title="Incidents",
            description="What must never happen, since the router started, by kind.",
            queries=(Query(total("pointsman_security_incidents_total", "kind"), "{{kind}}"),),
        ),
        Panel(
            title="Not let in",
            description="Requests in a second without an API key that counts, by what was wrong with it.",
            unit="reqps",
            queries=(Query(rate("pointsman_auth_failures_total", "reason"), "{{reason}}"),),
        ),
        Panel(
            title="Refused as harmful, flooding or forbidden",
            description="Messages in a second that a rule of protection refused.",
            unit="reqps",
            queries=(
                Query(
                    rate(
                        "pointsman_messages_refused_total",
                        "reason",
                        'reason=~"harmful|flooding|rate_limited|forbidden|unauthorized"',
                    ),
                    "{{reason}}",
                ),
            ),
        ),
    ),
)

ROLLOUT: Final = Board(
    "pointsman-rollout",
    "Pointsman: rollout and security",
    "The rollout beside the old router, the shadow, health and security of a Pointsman router.",
    (_ROLLOUT, _SHADOW, _HEALTH, _SECURITY),
)
