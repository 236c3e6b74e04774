"""`pointsman send`: one message to the running router, and its reply."""

from __future__ import annotations

from typing import Any, Final, NoReturn

import click

from pointsman.cli import options, output
from pointsman.cli.client import API, Client, Problem, Unreachable
from pointsman.cli.exits import ExitCode
from pointsman.cli.rows import whole_text
from pointsman.cli.views import PRIORITIES

PATIENCE_S: Final = 700.0
"""How long the connection may be silent: the longest wait a router grants by default, and some."""


@click.command()
@click.argument("text")
@click.option("--class", "message_class", metavar="CLASS", help="Insist on a class or alias.")
@click.option("--priority", type=click.Choice(PRIORITIES), help="Default normal.")
@click.option("--ttl", "ttl_s", type=float, metavar="SECONDS", help="Latest hand-out to a worker.")
@click.option("--timeout", "timeout_s", type=float, metavar="SECONDS", help="Longest attempt of a worker.")
@click.option("--wait/--no-wait", default=True, help="Wait for the reply, or only hand the message in.")
@click.option("--wait-s", type=float, metavar="SECONDS", help="Wait so long, then take the id instead of the reply.")
@click.option("--client", metavar="NAME", help="Whose limits it falls under.")
@click.option("--conversation", "conversation_id", metavar="ID", help="Keep its conversation in one class.")
@options.url
@options.form
def send(
    text: str, wait: bool, message_class: str | None, client: str | None, url: str | None, form: str, **more: Any
) -> None:
    """Send TEXT (- reads it from standard input) and show the reply.

    The reply goes to standard output, and what is to be said about it to standard error.
    """
    message = {"text": whole_text(text), **{key: value for key, value in more.items() if value is not None}}
    if message_class is not None:
        message["class"] = message_class
    if not wait:
        message["wait"] = False
    headers = {"x-pointsman-client": client} if client is not None else {}
    try:
        answer = Client(url, PATIENCE_S).post(f"{API}/messages", message, headers=headers)
    except Problem as problem:
        _fail(problem, form)
    if "id" not in answer:
        raise Unreachable("what answers there is no Pointsman; name the router's address with --url")
    if form == "json":
        output.document(answer)
    elif "reply" in answer:
        _show_reply(answer)
    else:
        output.say(answer["id"])
        output.note(f"The message is {answer['status']}. Ask for it with: pointsman messages show {answer['id']}")


def _show_reply(answer: dict[str, Any]) -> None:
    output.body(reply_text(answer["reply"]))
    decision = answer["decision"]
    why = f"{decision['class']} ({decision['cause']}, {decision['confidence']:.2f})"
    where = f"worker {decision['worker']} of pool {decision['pool']}" + (", a fallback" if decision["fallback"] else "")
    output.note(f"-- {why}; {where}; attempt {decision['attempts']}; {decision['overhead_ms']:.1f} ms in the router")
    output.note(f"Why: pointsman explain --id {answer['id']}")


def reply_text(reply: Any) -> str:
    """Return a worker's reply as text: its `text` where it has one, else the whole of it as JSON."""
    if isinstance(reply, dict) and isinstance(reply.get("text"), str):
        return str(reply["text"])
    return reply if isinstance(reply, str) else output.as_json(reply)


def _fail(problem: Problem, form: str) -> NoReturn:
    """Say why, with the worker's own words where there are some, and where to look for more."""
    document = problem.document
    if form == "json":
        output.document(document)
    elif document.get("reply") is not None:
        output.body(reply_text(document["reply"]))
    output.complain(str(problem))
    if document.get("id"):
        output.note(f"Why: pointsman explain --id {document['id']}")
    raise click.exceptions.Exit(ExitCode.FAILED)
