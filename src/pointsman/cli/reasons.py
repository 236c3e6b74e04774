"""Shows why: the class of a message with its evidence, and the record of where it went. Both as JSON objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pointsman.cli import figures, output

_CAUSES: Final = {
    "hint": "the sender named it",
    "pin": "its conversation has this class",
    "rule": "the rules found evidence enough",
    "model": "the model found evidence enough",
    "embedding": "the model was unsure, and the embedder was asked",
    "abstain": "nothing decisive was found, so it goes to the fallback class",
}


def show_class(decided: Mapping[str, Any]) -> None:
    """Show class, confidence, runner-up and evidence of a preview or a decision record.

    Where a model decided, what it saw is shown with what each adds to the score: with the bias it is all of it.
    """
    cause = str(decided["cause"])
    output.say(f"class      {decided['class']}: {_CAUSES.get(cause, cause)} ({cause})", "bold")
    widest = max(8, *map(len, decided["probabilities"]))
    for name, probability in sorted(decided["probabilities"].items(), key=lambda one: -one[1]):
        output.say(f"  {name:<{widest}} {figures.bar(probability)} {probability:.2f}{_remark(name, decided)}")
    if decided["overruled"]:
        others = ", ".join(decided["overruled"])
        output.say(f"conflict   rules of yours force {others} too; the dearer class wins", "yellow")
    if cause != "hint":
        output.say(f"decided by {decided['version']}{_took_us(decided)}, threshold {decided['threshold']:.2f}")
    _show_evidence(decided)


def _took_us(decided: Mapping[str, Any]) -> str:
    took_s = decided.get("classify_s")
    return f" in {took_s * 1e6:.0f} us" if took_s else ""


def _show_evidence(decided: Mapping[str, Any]) -> None:
    evidence = decided["evidence"]
    if decided.get("logit") is not None:
        output.say(f"score      {decided['logit']:+.4f} for {decided['class']}, the sum of")
        rows = [[f"  {decided['bias']:+.4f}", "whatever is asked", "bias"]]
        rows += [[f"  {one['weight']:+.4f}", one["found"], one["feature"]] for one in evidence]
        output.table(["  weight", "because it", "feature"], rows, empty="")
        return
    if not evidence:
        output.say("evidence   none")
        return
    output.say("evidence")
    output.table(
        ["  speaks for", "weight", "because of", "found"],
        [[f"  {one['message_class']}", f"{one['weight']:+.2f}", one["feature"], one["found"]] for one in evidence],
        empty="",
    )


def _remark(name: str, decided: Mapping[str, Any]) -> str:
    if decided["cause"] == "abstain":
        if name == decided["class"]:
            return "  the fallback class"
        likeliest = max(decided["probabilities"], key=decided["probabilities"].__getitem__)
        return f"  the likeliest, but below {decided['threshold']:.2f}" if name == likeliest else ""
    if decided["cause"] == "model" and decided["margin"] < 0.0 and name == decided["runner_up"]:
        return "  the likeliest, but a mistake would cost more than it saves"
    return f"  the runner-up, {decided['margin']:.2f} behind" if name == decided["runner_up"] else ""


def show_decision(record: Mapping[str, Any]) -> None:
    """Show the decision record of a message: how it ended, why it went where it went, and every attempt."""
    ended = f" ({record['ended_cause']})" if record["ended_cause"] else ""
    took, overhead = figures.duration(record["total_s"]), figures.duration(record["overhead_s"])
    times = f" in {took}, {overhead} of it in the router" if record["total_s"] else ""
    output.say(f"message    {record['id']} {record['status']}{ended}{times}", "bold")
    conversation = f", conversation {record['conversation_id']}" if record["conversation_id"] else ""
    key = f" with key {record['key_id']}" if record.get("key_id") else ""
    output.say(f"from       {record['client']}{key} at {figures.instant(record['received'])}{conversation}")
    if record["replay_of"]:
        output.say(f"replay of  {record['replay_of']}")
    output.say(f"priority   {record['priority']}")
    show_class(record)
    output.say(f"went to    {_way(record)}")
    if record.get("usage"):
        output.say(f"took       {_took(record)}")
    _show_timeline(record)


def _way(record: Mapping[str, Any]) -> str:
    if not record["attempts"]:
        return f"no worker; it was never handed out from the queue of pool {record['pool'] or '-'}"
    worker = f"worker {record['worker']} of" if record["worker"] else "no worker of"
    helped = ", a fallback pool, as its own had no admissible worker" if record["fallback"] else ""
    return f"{worker} pool {record['pool']}{helped}{_why_that_one(record)}"


def _took(record: Mapping[str, Any]) -> str:
    """Return the tokens and the money that all attempts took, and what had been expected."""
    cost, estimate = record.get("cost"), record.get("estimate")
    text = tokens(record["usage"])
    text += ", without a price" if cost is None else f", cost {figures.amount(cost)}"
    if estimate:
        text += f"; expected {estimate['input_tokens']:,} in, {estimate['output_tokens']:,} out"
        text += "" if estimate["money"] is None else f", cost {figures.amount(estimate['money'])}"
    return text


def tokens(usage: Mapping[str, Any]) -> str:
    """Return the tokens that an answer took, in words."""
    cached = f" ({usage['cached_input_tokens']:,} from a cache)" if usage["cached_input_tokens"] else ""
    text = f"{usage['input_tokens']:,} tokens in{cached}, {usage['output_tokens']:,} out"
    return text + ", estimated" if usage["estimated"] else text


def _why_that_one(record: Mapping[str, Any]) -> str:
    preferred, parked_s = record.get("preferred"), record.get("parked_s")
    waited = f", after {figures.duration(parked_s)} of waiting for a particular worker" if parked_s else ""
    if not preferred:
        return waited
    if record["got_preferred"]:
        return f", which served its conversation last{waited}"
    return f", though worker {preferred} served its conversation last{waited}"


def _show_timeline(record: Mapping[str, Any]) -> None:
    attempts = record["attempts"]
    if not attempts:
        return
    output.say("timeline")
    rows: list[list[Any]] = [["  accepted", "0 s", None, None, None, None, None]]
    for one in attempts:
        rows.append(
            [
                f"  attempt {one['number']}",
                figures.duration(one["queued_s"]),
                one["result"],
                one["worker"],
                figures.duration(one["took_s"]),
                figures.duration(one["worker_s"]),
                one["detail"],
            ]
        )
    if record["total_s"] is not None:
        rows.append(["  ended", figures.duration(record["total_s"]), record["status"], None, None, None, None])
    output.table(["  step", "at", "status", "worker", "took", "in worker", "detail"], rows, empty="")
