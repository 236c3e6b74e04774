"""The table of commands, and how whatever happens in one becomes a message and an exit code.

No command shows a traceback: what we raise on purpose says what was wrong, and what nobody thought of is reported as
the fault of ours that it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from types import TracebackType
from typing import Any, Final

import click

from pointsman.cli import output
from pointsman.cli.exits import ExitCode, described
from pointsman.cli.lazy import Lazy, LazyGroup, Sections
from pointsman.config import environment
from pointsman.model.errors import PointsmanError, SettingsError

COMMANDS: Final[Sections] = {
    "Start": {
        "init": Lazy("pointsman.cli.init:init", "Write a settings file with every default and a comment to each."),
        "serve": Lazy("pointsman.cli.serve:serve", "Run the router as an HTTP service."),
        "demo": Lazy("pointsman.cli.demo:demo", "Watch 200 messages find the right one of six real workers."),
    },
    "Classifier": {
        "train": Lazy("pointsman.cli.train:train", "Learn a classifier from your own messages."),
        "evaluate": Lazy("pointsman.cli.evaluate:evaluate", "Judge a classifier by labelled messages."),
        "model": Lazy("pointsman.cli.model:model", "List trained models, and choose the one in use."),
    },
    "Messages": {
        "send": Lazy("pointsman.cli.send:send", "Send a message and show the reply."),
        "explain": Lazy("pointsman.cli.explain:explain", "Show why a message goes where it goes."),
        "classify": Lazy("pointsman.cli.classify:classify", "Give each row of a file its class; needs no service."),
        "messages": Lazy("pointsman.cli.messages:messages", "List, show and cancel messages."),
        "feedback": Lazy("pointsman.cli.feedback:feedback", "Say which class was right, or how a message went."),
        "dlq": Lazy("pointsman.cli.dlq:dlq", "List, show and replay dead letters."),
    },
    "Fleet": {
        "status": Lazy("pointsman.cli.status:status", "Show how the router, its pools and queues are."),
        "health": Lazy("pointsman.cli.health:health", "Show how every component is, now or over the last day."),
        "workers": Lazy("pointsman.cli.workers:workers", "List, add, drain and remove workers."),
        "queues": Lazy("pointsman.cli.queues:queues", "List, pause, resume and empty queues."),
    },
    "Rollout": {
        "rollout": Lazy("pointsman.cli.rollout:rollout", "Bring it in beside the router that was there before."),
    },
    "Service levels": {
        "slo": Lazy("pointsman.cli.slo:slo", "Show the objectives and how they are kept."),
        "report": Lazy("pointsman.cli.report:report", "Write the deployment report of a rollout."),
    },
    "Cost": {
        "costs": Lazy("pointsman.cli.costs:costs", "Show what messages took, and by whom."),
        "budgets": Lazy("pointsman.cli.budgets:budgets", "Show budgets and what has been spent of them."),
    },
    "Settings and reference": {
        "keys": Lazy("pointsman.cli.keys:keys", "Create, list and revoke API keys; needs no service."),
        "config": Lazy("pointsman.cli.config:config", "Check, explain and reload the settings."),
        "errors": Lazy("pointsman.cli.errors:errors", "Look up an error code."),
        "bench": Lazy("pointsman.cli.bench:bench", "Measure throughput and latency."),
    },
}
"""Every command there is."""

_EPILOG = f"""\
\b
Commands find the router by --url, then POINTSMAN_URL, then http://127.0.0.1:8080,
and show it the API key of --key, then POINTSMAN_KEY.

\b
Exit codes:
{described()}
"""


_CODES: Final = {"usage": ExitCode.USAGE, "unreachable": ExitCode.UNREACHABLE, "not_loopback": ExitCode.SETTINGS}
"""Exit codes of faults by their code; of every other one it is `FAILED`."""

_TRACEBACK: Final = "POINTSMAN_TRACEBACK"


class Root(LazyGroup):
    """`pointsman` itself. A reader who has seen enough (`pointsman ... | head`) ends a command, and is no error."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the arguments; this is where `--help` prints."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except BrokenPipeError:
            output.give_up()

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            output.give_up()


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        # By name: the face is for users, and importing it from inside is what the import contract forbids.
        output.say(f"pointsman {import_module('pointsman').__version__}")
        ctx.exit()


@click.group(cls=Root, sections=COMMANDS, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
def root() -> None:
    """Pointsman routes messages to fleets of AI agents and LLM workers, and can say why each went where it went."""


def begin(arguments: Sequence[str]) -> int:
    """Run a command in a process of its own and return its exit code."""
    if _TRACEBACK not in environment.snapshot():
        sys.excepthook = _report_fault
    output.set_up()
    code = run(arguments)
    output.flush()
    return code


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; whatever went wrong has been said on standard error."""
    try:
        code = root.main(args=list(arguments), prog_name="pointsman", standalone_mode=False)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        output.note("Interrupted.")
        return ExitCode.INTERRUPTED
    except SettingsError as error:
        output.complain_of_settings(error.mistakes)
        return ExitCode.SETTINGS
    except PointsmanError as error:
        output.complain(str(error))
        return _CODES.get(error.code, ExitCode.FAILED)
    except OSError as error:
        output.complain(_of_the_system(error))
        return ExitCode.FAILED
    return code if isinstance(code, int) else ExitCode.OK


def _of_the_system(error: OSError) -> str:
    what = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {what}" if error.filename is not None else what


def _report_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say that this is a fault of ours, instead of a traceback that helps nobody but us."""
    if issubclass(kind, KeyboardInterrupt):
        output.note("Interrupted.")
        return
    output.complain(
        f"{kind.__name__}: {error}. This is a fault in Pointsman; please report it with what"
        f" `{_TRACEBACK}=1 pointsman ...` shows"
    )
