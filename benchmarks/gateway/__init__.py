"""Pointsman beside other gateways, in one interleaved run: `python -m benchmarks gateway`, or `make bench-gateway`.

One process on one core plays both ends: it is the client that sends requests and the model provider that answers them,
so each chunk's way is measured on one clock. The gateway under test has another core to itself. All gateways are up at
once and take turns in rounds; what is compared is the ratio inside a round.

    payloads    the bytes: request, reply, stream, and the mark that says what a provider does with a request
    checks      whether what came back is what was sent
    metronome   exact times, below the event loop's millisecond
    provider    the mock provider
    lines       one client connection, one call
    load        closed loop, open loop
    processes   starting, pinning, CPU and memory of a process tree
    peers       nginx, haproxy, Envoy, LiteLLM
    router      `pointsman serve`
    parts       what is measured: speed, streams, tail, faults, memory
    bars        what the figures are held against
"""
