"""The built-in rules, English part, written by hand: what speaks for `strategic`, what for `tactical`.

Strategic is planning, analysis, design, diagnosis and decisions; tactical is carrying out what has been decided,
and looking up what is known. A phrase is listed because of what it means at any desk, never because one message
holds it. `^` marks a phrase that counts only where a clause begins: there "plan", "test" and "design" are orders,
elsewhere often just nouns. `>` marks one whose clause goes on with material: in "translate 'should we wait'" nobody
asks whether to wait. Traps have phrases of their own, which win because they are longer: "write a plan" plans,
"implement the plan" does not. Weights are log-odds before `evidence` scales them, in steps of strong (2.0), clear
(1.4), leaning (0.8) and faint (0.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pointsman.core.classify.builtin_languages import LANGUAGES
from pointsman.core.classify.rules import Rule, make_rule

VERSION: Final = "builtin-1"
"""Changes with each change of a phrase or a weight."""

STRATEGIC: Final = "strategic"
TACTICAL: Final = "tactical"

ENGLISH: Final[tuple[tuple[str, float, str], ...]] = (
    # Diagnosis: what is wrong, and why.
    (
        STRATEGIC,
        2.0,
        """root cause, root causes, post mortem, postmortem, what went wrong, going wrong, ^diagnose, ^investigate,
        what could explain, what would explain, ^why does, ^why do, ^why is, ^why are, ^why did, ^why would,
        ^why should, ^figure out why, ^find out why, ^work out why""",
    ),
    (
        STRATEGIC,
        1.4,
        """why does, why do, why is, why are, why did, why would, why should, why have, why has, why can, why don,
        why doesn, why isn, ^why, and why, or why, figure out why, find out why, what causes, what is causing,
        what caused, how come, investigate, diagnose, hypothesis, hypotheses, where would you look, where do we look,
        what else could, rule out, cause or, symptom, symptoms, likely cause, possible causes, what is really,
        what is actually, what explains""",
    ),
    (
        STRATEGIC,
        0.8,
        """explain why, tell me why, understand why, understand how, ^explain, what happens if, suspect, correlates""",
    ),
    # Decisions: which, whether, in what order.
    (
        STRATEGIC,
        2.0,
        """should we, should i, trade-off, trade-offs, tradeoff, tradeoffs, pros and cons, which approach,
        what approach, best approach, better approach, is it worth, worth it, help me decide, help us decide,
        how would you approach, what would you do, would you recommend, do you recommend, what do you recommend,
        which would you, what would you, how would you, make the case, talk me out of, second opinion, ^compare,
        ^weigh, ^decide, ^prioritise, ^prioritize""",
    ),
    (
        STRATEGIC,
        1.4,
        """should our, should the, should they, should it, should this, should my, do we need, do i need,
        does it make sense, makes more sense, make sense to, makes sense to, or should, whether to, whether we,
        which option, which of these, which of the, which one would, options, alternatives, recommendation,
        recommendations, recommend, advise, advice, your take, your view, what do you think, convince me, argue,
        versus, vs, compare, weigh, weighing, worth the, worth, justify, justified, in which order, in what order,
        what first, which first, give up first, what should, how should, where should, when should, who should,
        which should, what matters most, what matters, priorities, prioritise, prioritize, build or buy,
        build vs buy, buy or build, better off, would it be better, is it better, what am i missing,
        what are we missing, what did we miss, what is missing, what speaks against, what speaks for, good idea,
        bad idea, how much risk, at what point, what now, what gives, talk me through, walk me through,
        what would change""",
    ),
    (
        STRATEGIC,
        0.8,
        """decide, decision, decisions, choose, choosing, choice, prefer, cheaper, convinced, sensible, reasonable""",
    ),
    # Analysis and criticism.
    (
        STRATEGIC,
        2.0,
        """^analyse, ^analyze, ^assess, ^evaluate, ^critique, ^think through, ^think about, ^reason about, ^brainstorm,
        review the approach, review the design, review the architecture, review the plan, review our,
        review my approach, poke holes, sanity check, threat model, failure modes, worst case, what could go wrong,
        cost-benefit, feasibility""",
    ),
    (
        STRATEGIC,
        1.4,
        """analyse, analyze, assess, assessment, evaluate, critique, implications, consequences, risks, think through,
        think about, think it through, brainstorm, bottleneck, bottlenecks, weakness, weaknesses, blind spots,
        assumptions, assumption, scenarios, scenario, what if, estimate how, model the, at risk, biggest risk,
        ^review, break first, long run, long term, in the end""",
    ),
    (
        STRATEGIC,
        0.8,
        """analysis, evaluation, consider, risk, impact, uncertain, evidence, feasible, realistic, patterns, trend,
        trends, advantages, disadvantages, drawbacks, downside, downsides, strengths, critically, discuss, outlook,
        forecast, compared""",
    ),
    # Planning and design.
    (
        STRATEGIC,
        2.0,
        """^plan, ^design, ^outline, ^propose, ^devise, ^strategize, ^map out, a plan for, plan for, need a plan,
        write a plan, write the plan, draft a plan, make a plan, create a plan, give me a plan, come up with,
        a strategy, strategy for, write a strategy, a roadmap, the roadmap for, create a roadmap, migration plan,
        migration path, rollout plan, project plan, test plan, action plan, plan of action, write a proposal,
        draft a proposal, write an rfc, an rfc for, design doc for, write a design, architecture for,
        propose an architecture, system design, how do we want, how do we stop, how do we get, how do we keep,
        how can we""",
    ),
    (
        STRATEGIC,
        1.4,
        """strategy, roadmap, architecture, architectural, proposal, propose, outline, redesign, how do we,
        how could we, how might we, how would we, how would one, what would a, what does a good, break down,
        break it down, break this down, phases, milestones, scope, framework for, ^structure, ^how should,
        ^how would, structure the, organise the, organize the, requirements, stakeholders, vision, goals, before we,
        before anyone, before i, before anything, from scratch, end to end, big picture, set up our, governance,
        policy""",
    ),
    (
        STRATEGIC,
        0.8,
        """approach, approaches, design, plan, plans, planning, principles, constraints, constraint, budget, quarter,
        team, teams, scale""",
    ),
    (
        STRATEGIC,
        0.4,
        """review, ^how, ^which, ^is it, ^are we, ^does it, migrate, migration, grow, growth, customers, competitors,
        complex""",
    ),
    # Orders: the first word says what to do.
    (
        TACTICAL,
        2.0,
        """^translate >, ^transcribe >, ^proofread >, ^paraphrase >, ^rephrase >, ^reword >, ^shorten >, ^spell >,
        ^spellcheck >, ^capitalise >, ^capitalize >, ^pronounce >""",
    ),
    (
        TACTICAL,
        2.0,
        """^fix, ^add, ^implement, ^rename, ^write a function, ^write a script, ^write a test, ^write a unit test,
        ^write a query, ^convert, ^format, ^reformat, ^delete, ^remove, ^replace, ^bump, ^revert, ^rebase, ^merge,
        ^commit, ^push, ^deploy, ^install, ^restart, ^run, ^rerun, ^execute, ^apply, ^insert, ^append, ^extract,
        ^parse, ^sort, ^calculate, ^compute, ^summarise, ^summarize, ^send, ^reply, ^email, ^schedule, ^book,
        ^cancel, ^print, ^upload, ^download, ^copy, ^paste, ^uncomment, ^comment out, ^inline, ^lint, ^squash,
        ^cherry-pick, ^chmod, ^grep, ^round, ^multiply, ^classify, ^detect, ^concatenate, ^alphabetise, ^redo,
        ^retry, ^resend, ^reload, ^regenerate, ^rebuild, ^undo, ^reset, ^reschedule, ^notify, ^ping, ^archive,
        ^publish, ^unblock, ^refund, ^scrape, ^decode, ^encode, ^dump, ^fetch, ^do it, ^do that, ^go ahead, ^ship it,
        ^try again, ^carry on, ^continue, ^proceed, ^same for the""",
    ),
    (
        TACTICAL,
        1.4,
        """^update, ^change, ^set, ^make, ^create, ^generate, ^write, ^build, ^use, ^list, ^give me, ^show, ^move,
        ^wrap, ^turn, ^rewrite, ^refactor, ^test, ^put, ^return, ^export, ^import, ^enable, ^disable, ^open, ^close,
        ^check, ^count, ^fill, ^correct, ^mark, ^assign, ^attach, ^label, ^tag, ^sum, ^draw, ^clean up, ^tidy, ^drop,
        ^split, ^join, ^cut, ^reduce, ^increase, ^raise, ^lower, ^log, ^mock, ^stub, ^pin, ^swap, ^start, ^stop,
        ^switch, ^render, ^remind, ^order, ^post, ^find, ^look up, ^finish, ^complete, ^note, ^tell the, ^tell them,
        ^tell me a, ^inform, ^register, ^yes, ^yep, ^ok do, ^identify, ^select, ^solve, ^prove, ^answer, ^provide,
        ^craft, ^compose, ^describe, ^define, ^visualise, ^visualize, ^plot, ^query, ^get, ^pull, ^grab, ^load,
        ^save, ^store, ^validate, ^verify, ^confirm, ^highlight, ^combine, ^group, ^filter, ^simplify, ^expand,
        ^name, ^act as, ^pretend, ^invent, ^block, ^mute, ^hide, ^align, ^indent, ^sign, ^call, ^reserve, ^transfer,
        ^pay, ^charge, ^quote, ^rank, ^fill in, ^ask, ^bring, ^clear, ^restore, ^link, ^resize, ^crop""",
    ),
    (
        TACTICAL,
        1.4,
        """implement, implement the plan, implement a plan, implement the design, execute the plan, follow the plan,
        apply the plan, execute the rollout, according to the plan, as planned, as designed, as described,
        as discussed, as agreed, just do it, do it, go ahead, rename, translate, translation, unit test, unit tests,
        regex, regexp, one liner, off-by-one, typo, typos, syntax error, stack trace, sql query, bash script,
        shell script, python script, write a, write me, write the, write an, how do i, how to, into french,
        into german, into spanish, into english, to english, to french, to german, to spanish, in french, in german,
        in spanish, subject line, in two sentences, in one sentence, in one line, bullet points, per line,
        one per line, alphabetically, lowercase, same for, the same for, same again, code for, script for,
        function for, how can i, which command, what command, command to, uppercase, upper case, lower case,
        capital letters, spell, spelling, grammar, haiku, limerick, rhyme, synonym, boilerplate, placeholder, rerun,
        nothing else, no explanation, just the, only the, keep the, keep it, leave the""",
    ),
    (
        TACTICAL,
        0.8,
        """fix, fixed, add, adds, delete, remove, replace, convert, insert, append, bump, revert, rebase, merge, commit,
        push, deploy, install, restart, run the, run it, execute, apply, refactor, rewrite, update the, update it,
        set the, change the, change it, make it, make the, make this, put it, put the, move the, use the, format,
        the function, a function, function that, script that, query that, regex that, the button, the column,
        the endpoint, the header, the footer, the field, the file, this file, the label, the branch, this branch,
        the readme, docstring, docstrings, type hints, changelog, the test, a test, tests for, test for, lint,
        linter, snippet, json, csv, yaml, xml, markdown, html, css, pdf, table with, dockerfile, makefile, endpoint,
        checkbox, dropdown, tooltip, px, null, none, true, false, return none, stdout, traceback, in python,
        in javascript, in java, in rust, in bash, in sql, in excel, invoice, receipt, email, reply, remind, reminder,
        appointment, summary of, words max, max words, at most, exactly, instead of, by friday, asap, right now,
        what time, how many, how much is, what is the, what s the, who is, when is, where is, what does, meaning of,
        capital of, reword, shorten, shorter, polite""",
    ),
    (
        TACTICAL,
        0.4,
        """py, ts, tsx, js, jsx, toml, yml, sh, sql, md, line, lines, attached, below, function, method,
        please, again""",
    ),
    # Ways to begin that say nothing; `^` goes on behind them.
    (
        TACTICAL,
        0.0,
        """^i need you to, ^i want you to, ^i d like to, ^we need to, ^i need to, ^we have to, ^i have to, ^you need to,
        ^i want to, ^we want to, ^help me to, ^try to, ^you can, ^you may, ^the plan is to, ^plan to, plan to,
        planning to, why not, by design, set up to, going to""",
    ),
)
"""(role, weight, phrases)."""


def builtin_rules() -> Iterator[Rule]:
    """Yield the built-in rules; `message_class` holds the role, to be resolved to a configured class."""
    for role, weight, phrases in ENGLISH + LANGUAGES:
        for phrase in phrases.split(","):
            text = phrase.strip()
            opening, absorbs = text.startswith("^"), text.endswith(">")
            yield make_rule(text, text, role, weight, opening=opening, absorbs=absorbs)
