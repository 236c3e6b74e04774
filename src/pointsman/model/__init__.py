"""Plain data, no I/O: what a message is, what may happen to it, and the words for both.

Nothing here decides anything; `core` decides, `layers` act.
"""
