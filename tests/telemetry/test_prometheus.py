"""The exposition, read back by prometheus_client's parsers for both formats."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from pointsman.telemetry.metric import Kind, Label, Metric, Source
from pointsman.telemetry.names import BY_NAME
from pointsman.telemetry.prometheus import Format, choose, render
from pointsman.telemetry.registry import Counter, Gauge, Known, Registry, Series

PARSERS = {Format.TEXT: parse_text, Format.OPEN_METRICS: parse_open_metrics}
both = pytest.mark.parametrize("form", list(Format))

NAMED = Metric("named_total", Kind.COUNTER, 'A "strange"\nhelp \\ text.', (Label("who", source=Source.CODE),))


def read(series: list[Series], form: Format) -> dict[tuple[Any, ...], float]:
    """Every sample by name and labels, as a scraper sees it."""
    samples = {}
    for family in PARSERS[form](render(series, form).decode()):
        for sample in family.samples:
            samples[(sample.name, *sorted(sample.labels.items()))] = sample.value
    return samples


def some() -> list[Series]:
    """A counter, a gauge, a histogram with a label and an info."""
    registry = Registry()
    registry.know(Source.POOL, ["coders"])
    retries = registry.counter("pointsman_retries_total")
    retries.add(("worker_busy",), 3)
    seconds = registry.histogram("pointsman_worker_seconds")
    seconds.observe(0.05, ("coders",))
    seconds.observe(20_000.0, ("coders",))
    uptime = Gauge(BY_NAME["pointsman_uptime_seconds"], Known())
    uptime.add((), 1.5)
    info = Gauge(BY_NAME["pointsman_build_info"], Known())
    info.add(("0.1.0",))
    return [retries, seconds, uptime, info]


@both
def test_a_scraper_reads_back_what_was_counted(form):
    """Counters, gauges, info, and histograms with cumulative buckets, count and sum."""
    samples = read(some(), form)
    assert samples[("pointsman_retries_total", ("reason", "worker_busy"))] == 3
    assert samples[("pointsman_uptime_seconds",)] == 1.5
    assert samples[("pointsman_build_info", ("version", "0.1.0"))] == 1
    pool = ("pool", "coders")
    buckets = {
        dict(key[1:])["le"]: value for key, value in samples.items() if key[0] == "pointsman_worker_seconds_bucket"
    }
    assert (buckets["0.025"], buckets["0.05"], buckets["14400.0"], buckets["+Inf"]) == (0, 1, 1, 2)
    assert samples[("pointsman_worker_seconds_count", pool)] == 2
    assert samples[("pointsman_worker_seconds_sum", pool)] == 20_000.05


@both
def test_families_have_the_kind_and_help_of_the_table(form):
    """Help is escaped as the format wants it; text knows no info, and calls it a gauge."""
    counter = Counter(NAMED, Known())
    counter.add(("a",))
    families = {family.name: family for family in PARSERS[form](render([*some(), counter], form).decode())}
    assert {name.removesuffix("_info"): family.type for name, family in families.items()} == {
        "pointsman_retries": "counter",
        "pointsman_worker_seconds": "histogram",
        "pointsman_uptime_seconds": "gauge",
        "pointsman_build": "info" if form is Format.OPEN_METRICS else "gauge",
        "named": "counter",
    }
    assert families["named"].documentation == NAMED.help
    if form is Format.OPEN_METRICS:
        assert families["pointsman_uptime_seconds"].unit == "seconds"


@both
@given(names=st.lists(st.text(st.sampled_from('ab\\n"\n\r{},=# \u2028é')), unique=True, max_size=4))
def test_no_label_value_can_forge_a_sample(form, names):
    """Quotes, backslashes and line ends in a value come back as they were, as one sample each."""
    counter = Counter(NAMED, Known())
    for place, name in enumerate(names, 1):
        counter.add((name,), place)
    samples = read([counter], form)
    assert samples == {("named_total", ("who", name)): place for place, name in enumerate(names, 1)}


@both
def test_a_metric_without_series_is_left_out_or_empty(form):
    """Nothing has happened yet: no sample, and the exposition still parses."""
    registry = Registry()
    counter, histogram = (
        registry.counter("pointsman_retries_total"),
        registry.histogram("pointsman_worker_seconds"),
    )
    assert read([counter, histogram], form) == {}


def test_the_two_formats_end_as_they_must():
    """OpenMetrics has an end mark, without which a scrape counts as torn; both end with a line end."""
    assert render([], Format.OPEN_METRICS) == b"# EOF\n"
    assert b"# EOF" not in render(some(), Format.TEXT)
    assert render(some(), Format.TEXT).endswith(b"\n")


PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/plain", Format.TEXT),
        (PROMETHEUS_3, Format.OPEN_METRICS),
        ("application/openmetrics-text", Format.OPEN_METRICS),
        ("Application/OpenMetrics-Text; Version=1.0.0", Format.OPEN_METRICS),
        ("application/openmetrics-text; version=0.0.1", Format.TEXT),
        ("application/openmetrics-text; version=2.0.0, text/plain", Format.TEXT),
        ("application/openmetrics-text;q=0.1, text/plain;q=0.9", Format.TEXT),
        ("application/openmetrics-text;q=0.9, text/*;q=0.1", Format.OPEN_METRICS),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=often", Format.TEXT),
        (";;,=,;q=", Format.TEXT),
    ],
)
def test_the_accept_header_chooses_the_format(accept, form):
    """OpenMetrics 1.0 for those who ask for it and prefer it; plain text for all that is unclear."""
    assert choose(accept) is form


@given(st.text(st.sampled_from("aopentmricsx/-;,=.q01 \t"), max_size=60))
def test_any_accept_header_chooses_some_format(accept):
    """A client's header never breaks the scrape."""
    assert choose(accept) in Format
