"""The health of the router: cheap probes every few seconds, deep checks every quarter of an hour and on demand.

What others use is `Health` (`house.health`), in `runtime.health.rounds`:

    latest()          list of `model.health.HealthResult`: component, kind, status, output, at_wall, took_s, and more
    status()          the worst of them
    await check()     runs all deep checks now, or joins those that run; then as `latest`
    history(...)      list of `model.health.HealthMark`, the newest first
    add(check)        another component, such as the service's own

`kind` is the component without the name of a pool or worker, from a closed set: what a metric may be labelled by.
"""
