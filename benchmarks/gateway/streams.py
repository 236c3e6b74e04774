"""What a stream costs, how much later it begins, and whether each chunk comes when it was sent."""

from __future__ import annotations

from benchmarks.gateway.checks import HELD_BACK_S, StreamCheck
from benchmarks.gateway.figures import percentile
from benchmarks.gateway.lines import Call
from benchmarks.gateway.load import Tally, closed_loop
from benchmarks.gateway.payloads import CHUNKS, PACE_S, Act
from benchmarks.gateway.stage import Record, Stage, System, settle

STREAMS = 32


class _Streams:
    """A tally of streams: also when they began, and how long each chunk was under way."""

    def __init__(self, stage: Stage) -> None:
        self.tally = Tally()
        self.first_s: list[float] = []
        self.delays_s: list[float] = []
        self.chunks = 0
        self._sent = stage.provider.sent

    def take(self, call: Call) -> None:
        """Count a stream that has ended."""
        self.tally.take(call)
        assert isinstance(call.check, StreamCheck)
        if call.first_at:
            self.first_s.append(call.first_at - call.began)
        self.chunks += len(call.check.arrivals)
        self.delays_s.extend(call.check.delays(self._sent.pop(call.number, [])))


async def measure_paced(stage: Stage, system: System, record: Record, number: int, waves: int) -> None:
    """32 streams at once, each of 50 chunks paced at 2 ms, their beginnings spread over the time of one."""
    streams = _Streams(stage)
    stage.provider.forget()
    before, waited_before = system.cpu_ns(), system.waited_ns()
    wall_s = await closed_loop(
        system.port,
        stage.calls(system, Act.PACED),
        streams.take,
        connections=STREAMS,
        calls=STREAMS * waves,
        stagger=(stage.metronome, CHUNKS * PACE_S),
    )
    cpu_us = (system.cpu_ns() - before) / 1e3
    record.blame(system, "paced streams", streams.tally.faults)
    if streams.delays_s:
        record.put(
            system,
            number,
            first_p50_us=percentile(streams.first_s, 0.50) * 1e6,
            first_p99_us=percentile(streams.first_s, 0.99) * 1e6,
            chunk_cpu_us=cpu_us / streams.chunks,
            chunk_p50_us=percentile(streams.delays_s, 0.50) * 1e6,
            chunk_p99_us=percentile(streams.delays_s, 0.99) * 1e6,
            chunk_max_us=max(streams.delays_s) * 1e6,
            held_back=sum(delay > HELD_BACK_S for delay in streams.delays_s),
            bad_streams=streams.tally.failed,
            stream_busy_share=cpu_us / 1e6 / wall_s,
            stream_waited_share=(system.waited_ns() - waited_before) / 1e9 / wall_s,
        )
    await settle()


async def measure_burst(stage: Stage, system: System, record: Record, number: int, seconds: float) -> None:
    """Eight streams at once whose chunks come all together."""
    streams = _Streams(stage)
    stage.provider.forget()
    before = system.cpu_ns()
    await closed_loop(system.port, stage.calls(system, Act.BURST), streams.take, connections=8, seconds=seconds)
    cpu_us = (system.cpu_ns() - before) / 1e3
    record.blame(system, "burst streams", streams.tally.faults)
    if streams.chunks:
        record.put(system, number, burst_chunk_cpu_us=cpu_us / streams.chunks)
    await settle()
