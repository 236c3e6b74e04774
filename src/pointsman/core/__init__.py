"""Every decision, as pure objects: no I/O, no clock, no chance of their own. They take `now` and, if needed, an rng."""
