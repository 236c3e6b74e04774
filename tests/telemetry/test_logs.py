from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.model.errors import UsageError
from pointsman.model.settings import CHOICES
from pointsman.telemetry.logs import JsonLines, TextLines, configure, escape

HARMFUL = "\n\r\t\x00\x0b\x1b\x7f\x85\x9b\u2028\u2029\u200b\u202e\u2066\ufeff\ud800\udfff\U000e0041"
ANYTHING = st.text(st.sampled_from(HARMFUL + 'ab é你👋"\\ =|{}:'), max_size=12) | st.text()
HEAD = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ ")


@pytest.fixture(autouse=True)
def _root_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    level, before = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = before


def record(message: str, error: BaseException | None = None, **extra: object) -> logging.LogRecord:
    """A record as the logging module makes it, at 0 s of Unix time."""
    exc_info = (type(error), error, error.__traceback__) if error else None
    made = logging.getLogger("pointsman.http").makeRecord(
        "pointsman.http", logging.INFO, "file.py", 1, "%s", (message,), exc_info, extra=extra
    )
    made.created = 0.0
    return made


def raised(text: str) -> ValueError:
    """An error with a traceback."""
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_a_text_line_has_instant_level_logger_message_and_fields():
    """Fields are what was given as `extra`; text with blanks is quoted."""
    assert TextLines().format(record("hello there", client="a", detail="two words", n=3)) == (
        '1970-01-01T00:00:00.000Z INFO pointsman.http: hello there client=a detail="two words" n=3'
    )


def test_a_json_line_has_the_same():
    """Numbers stay numbers; what JSON does not know is shown as text."""
    line = JsonLines().format(record("hello", client="a", n=3, odd={1}))
    assert json.loads(line) == {
        "at": "1970-01-01T00:00:00.000Z",
        "level": "info",
        "logger": "pointsman.http",
        "message": "hello",
        "client": "a",
        "n": 3,
        "odd": "{1}",
    }


def test_a_traceback_continues_the_record():
    """In text as marked lines, in JSON as a field."""
    error = raised("broken")
    first, *rest = TextLines().format(record("it broke", error)).split("\n")
    assert HEAD.match(first)
    assert rest[0] == "  | Traceback (most recent call last):"
    assert rest[-1] == "  | ValueError: broken"
    assert json.loads(JsonLines().format(record("it broke", error)))["error"].endswith("ValueError: broken")


@given(ANYTHING, ANYTHING, ANYTHING)
def test_no_input_forges_a_line_of_text(message, value, trouble):
    """Whatever is logged: one line at the margin, the others marked, nothing that acts on a terminal."""
    text = TextLines().format(record(message, raised(trouble), value=value))
    first, *rest = text.splitlines()
    assert HEAD.match(first)
    assert all(line.startswith("  | ") for line in rest)
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]", text) is None


@given(ANYTHING, ANYTHING, ANYTHING)
def test_no_input_forges_a_line_of_json(message, value, trouble):
    """One line, which holds exactly what was logged and can be written as UTF-8."""
    text = JsonLines().format(record(message, raised(trouble), value=value))
    assert len(text.splitlines()) == 1
    assert text.encode().decode() == text
    read = json.loads(text)
    assert (read["message"], read["value"]) == (message, value)
    assert trouble in read["error"]


@given(ANYTHING)
def test_a_value_cannot_pass_for_another_field(value):
    """Blanks, quotes and `=` are only seen within quotes."""
    text = TextLines().format(record("m", value=value)).partition(" m value=")[2]
    assert re.fullmatch(r'[^\s"=]+|"(?:[^"\\]|\\.)*"', text)


def test_fields_cannot_replace_what_every_line_has():
    """An extra named `at` or `level` does not hide the real one."""
    read = json.loads(JsonLines().format(record("m", at="never", level="quiet")))
    assert (read["at"], read["level"]) == ("1970-01-01T00:00:00.000Z", "info")


@pytest.mark.parametrize("char", HARMFUL)
def test_every_character_that_could_do_harm_is_escaped(char):
    """Line ends of all alphabets, terminal controls, turned or hidden text, halves of pairs: in both forms."""
    assert char not in TextLines().format(record(f"a{char}b", value=f"a{char}b"))
    line = JsonLines().format(record(f"a{char}b"))
    assert char not in line
    assert json.loads(line)["message"] == f"a{char}b"


def test_harmless_text_of_any_language_stays_readable():
    """Only what could do harm is escaped."""
    assert escape("Grüße, 你好, 👋") == "Grüße, 你好, 👋"
    assert escape("a\x1b[31m\u202e\U000e0041") == "a\\u001b[31m\\u202e\\U000e0041"


@pytest.mark.parametrize("form", ["text", "json"])
def test_configured_logging_writes_records_of_its_level_and_above(form):
    """Through the root, so that libraries are heard too."""
    stream = io.StringIO()
    configure("warning", form, stream)
    logging.getLogger("somebody").info("not this")
    logging.getLogger("somebody").warning("but this")
    (line,) = stream.getvalue().splitlines()
    assert "but this" in line


def test_a_second_set_up_replaces_the_first():
    """A reload that changes the level does not write every line twice."""
    first, second = io.StringIO(), io.StringIO()
    configure("info", "text", first)
    configure("debug", "text", second)
    logging.getLogger("somebody").debug("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1


def test_every_level_of_the_settings_is_a_level_of_logging():
    """And nothing else is: the error says what was expected."""
    for level in CHOICES["telemetry.log_level"]:
        assert configure(level).level == logging.NOTSET
        assert logging.getLogger().level == getattr(logging, level.upper())
    with pytest.raises(UsageError, match="expected a level"):
        configure("loud")
    with pytest.raises(UsageError, match="expected a level"):
        configure("info", "xml")
