"""Where messages wait. Every engine keeps the promises of `ports.Engine` and passes `testing.engine_suite`."""
