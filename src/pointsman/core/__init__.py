"""Every decision, as pure objects: no I/O, no clock, no randomness of their own. They take `now` and, where needed, an rng."""
