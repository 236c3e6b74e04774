"""Facts about the written material of `pointsman demo`: its 200 messages and the answers its workers give.

Both files are written line by line, without a template. What keeps them worth watching can be counted
(variety, languages, lengths, shares), and is counted here; whether a message is good is for a reader to say.
"""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files
from itertools import combinations, pairwise
from typing import Final, Literal

import msgspec
import pytest

from pointsman.model.message import PRIORITIES

FLOODER: Final = "runaway-loop"
CLIENTS: Final = {
    "planner-app",
    "ide-plugin",
    "support-bot",
    "nightly-batch",
    "ops-console",
    "mobile-app",
    "research-desk",
    FLOODER,
}
# One token is a Chinese character or a word. Devanagari has a range of its own because its vowel signs are
# not word characters to `re`.
TOKEN: Final = re.compile(r"[\u4e00-\u9fff]|(?:[^\W\u4e00-\u9fff]|[\u0900-\u097f])+")


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"class_": "class"}):
    """One line of `demo_messages.jsonl`; `label` is what a careful person says the class is."""

    client: str
    text: str
    priority: str
    label: Literal["strategic", "tactical"]
    conversation_id: str | None = None
    class_: Literal["strategic", "tactical"] | None = None


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of `worker_answers.jsonl`."""

    role: Literal["planner", "coder"]
    text: str


def read_lines(name: str) -> list[bytes]:
    """The lines of a file beside the demo, as bytes."""
    return files("pointsman").joinpath("operations").joinpath(name).read_bytes().splitlines()


ROWS: Final = [msgspec.json.decode(line, type=Row) for line in read_lines("demo_messages.jsonl")]
TEXTS: Final = list(dict.fromkeys(row.text for row in ROWS))
ANSWERS: Final = [msgspec.json.decode(line, type=Answer) for line in read_lines("worker_answers.jsonl")]


def tokens(text: str) -> frozenset[str]:
    """The set of lower-case words (or Chinese characters) of a text."""
    return frozenset(TOKEN.findall(text.lower()))


def find_near_duplicates(texts: list[str], bar: float) -> list[tuple[str, str]]:
    """All pairs whose token sets have a Jaccard similarity of at least `bar` (0..1)."""
    sets = [(tokens(text), text) for text in texts]
    found = []
    for (left, left_text), (right, right_text) in combinations(sets, 2):
        shared = len(left & right)
        if shared >= bar * (len(left) + len(right) - shared):
            found.append((left_text, right_text))
    return found


def group_conversations() -> dict[str, list[int]]:
    """Positions of the turns by conversation."""
    turns: dict[str, list[int]] = {}
    for position, row in enumerate(ROWS):
        if row.conversation_id is not None:
            turns.setdefault(row.conversation_id, []).append(position)
    return turns


def test_there_are_two_hundred_messages() -> None:
    """The demo sends exactly 200 messages."""
    assert len(ROWS) == 200


def test_seven_clients_behave_and_share_evenly() -> None:
    """Seven clients have 26 or 27 messages each, the flooding one has 12."""
    counts = Counter(row.client for row in ROWS)
    assert set(counts) == CLIENTS
    assert counts.pop(FLOODER) == 12
    assert set(counts.values()) <= {26, 27}


def test_flood_is_ten_identical_copies_of_one_client() -> None:
    """One text comes ten times, all from the flooding client; every other text comes once."""
    counts = Counter(row.text for row in ROWS)
    (flood, copies), (_, next_most) = counts.most_common(2)
    assert (copies, next_most) == (10, 1)
    assert {row.client for row in ROWS if row.text == flood} == {FLOODER}


def test_flood_comes_as_a_burst() -> None:
    """All ten copies stand within 20 rows, so that a viewer sees the guard at work."""
    flood = Counter(row.text for row in ROWS).most_common(1)[0][0]
    places = [position for position, row in enumerate(ROWS) if row.text == flood]
    assert places[-1] - places[0] < 20


def test_priorities_are_known_and_mostly_normal() -> None:
    """Each priority is one of the five, all five occur, and at least 70 % are normal."""
    counts = Counter(row.priority for row in ROWS)
    assert set(counts) == set(PRIORITIES)
    assert counts["normal"] >= 0.7 * len(ROWS)


@pytest.mark.parametrize(
    ("priority", "allowed"),
    [
        ("critical", {"ops-console"}),
        ("high", {"ops-console", "support-bot"}),
        ("low", {"nightly-batch"}),
        ("bulk", {"nightly-batch"}),
    ],
)
def test_priority_belongs_to_clients_who_would_use_it(priority: str, allowed: set[str]) -> None:
    """Only operations call something critical, only the nightly batch calls something low or bulk."""
    assert {row.client for row in ROWS if row.priority == priority} == allowed


def test_labels_are_near_forty_five_per_cent_strategic() -> None:
    """Between 43 % and 47 % of the messages are strategic, and each well-behaved client has both kinds."""
    strategic = sum(row.label == "strategic" for row in ROWS)
    assert 0.43 <= strategic / len(ROWS) <= 0.47
    assert {(row.client, row.label) for row in ROWS} == {
        (client, label) for client in CLIENTS for label in ("strategic", "tactical")
    }


def test_class_hints_are_few_and_agree_with_the_label() -> None:
    """At most six messages carry an explicit class, and it is the labelled one."""
    hinted = [row for row in ROWS if row.class_ is not None]
    assert 0 < len(hinted) <= 6
    assert all(row.class_ == row.label for row in hinted)


def test_no_two_messages_are_near_duplicates() -> None:
    """Token sets of any two different messages have a Jaccard similarity under 0.5."""
    assert find_near_duplicates(TEXTS, 0.5) == []


def test_near_duplicate_search_finds_a_changed_word() -> None:
    """The rule above can fail: one word changed in six is found."""
    pair = ["bump search replicas six to nine", "bump search replicas six to ten"]
    assert find_near_duplicates([*pair, "haiku about late trains"], 0.5) == [(pair[0], pair[1])]


def test_openings_vary() -> None:
    """No first word starts more than 12 of the messages, the ten flood copies included."""
    first_words = Counter(row.text.split()[0].lower().strip('":,.!?') for row in ROWS)
    assert first_words.most_common(1)[0][1] <= 12


def test_lengths_reach_from_two_words_to_two_hundred_and_fifty() -> None:
    """Shortest 2 words, longest at most 250; several long ones, many terse ones, short on average."""
    # Chinese is written without spaces, so a count of words says nothing about those texts.
    lengths = sorted(len(text.split()) for text in TEXTS if not re.search(r"[\u4e00-\u9fff]", text))
    assert lengths[0] == 2
    assert 200 <= lengths[-1] <= 250
    assert sum(length > 150 for length in lengths) >= 5
    assert sum(length <= 8 for length in lengths) >= 25
    assert 15 <= lengths[len(lengths) // 2] <= 35


@pytest.mark.parametrize(
    ("language", "letters", "at_least"),
    [
        ("Spanish", "[¿¡ñ]", 7),
        ("German", "[äöüß]", 9),
        ("French", "[èêçœàù]", 8),
        ("Chinese", "[\u4e00-\u9fff]", 8),
        ("Hindi", "[\u0900-\u097f]", 6),
    ],
)
def test_languages_are_present(language: str, letters: str, at_least: int) -> None:
    """Five languages besides English occur, told by letters that English does not have."""
    assert sum(re.search(letters, text) is not None for text in TEXTS) >= at_least, language


def test_english_is_the_majority_but_not_everything() -> None:
    """Between 60 % and 85 % of the texts have ASCII letters only."""
    plain = sum(all(char.isascii() for char in text if char.isalpha()) for text in TEXTS)
    assert 0.60 <= plain / len(TEXTS) <= 0.85


def test_some_messages_carry_fenced_code_and_each_fence_is_closed() -> None:
    """At least eight messages hold a code fence, and fences come in pairs."""
    fences = [text.count("```") for text in TEXTS if "```" in text]
    assert len(fences) >= 8
    assert all(count % 2 == 0 for count in fences)


def test_conversations_have_three_or_four_turns_of_one_client() -> None:
    """Each conversation belongs to one client and has three or four turns."""
    turns = group_conversations()
    assert len(turns) >= 5
    assert {len(positions) for positions in turns.values()} == {3, 4}
    for positions in turns.values():
        assert len({ROWS[position].client for position in positions}) == 1


def test_turns_of_a_conversation_stay_near_each_other() -> None:
    """A viewer can follow a conversation: at most 30 rows lie between two turns."""
    gaps = [later - earlier for places in group_conversations().values() for earlier, later in pairwise(places)]
    assert max(gaps) <= 30


def test_texts_are_clean() -> None:
    """No text has outer white space or a control character other than newline and tab."""
    for text in TEXTS:
        assert text == text.strip()
        assert re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text) is None


def test_workers_have_thirty_different_answers_a_role() -> None:
    """Planner and coder have 30 answers each, and none is written twice."""
    assert Counter(answer.role for answer in ANSWERS) == {"planner": 30, "coder": 30}
    assert len({answer.text for answer in ANSWERS}) == 60
    assert find_near_duplicates([answer.text for answer in ANSWERS], 0.5) == []


def test_answers_take_the_topic_and_nothing_else() -> None:
    """Each answer can be filled with `{topic}` alone, and between a third and two thirds use it."""
    with_topic = [answer for answer in ANSWERS if answer.text.format(topic="late trains") != answer.text]
    assert all("late trains" in answer.text.format(topic="late trains") for answer in with_topic)
    assert 20 <= len(with_topic) <= 40


def test_answers_are_short() -> None:
    """An answer has at most 160 characters, so that it fits one line of the live view."""
    assert max(len(answer.text) for answer in ANSWERS) <= 160
