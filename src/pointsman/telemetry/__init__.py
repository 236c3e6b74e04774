"""What the outside sees of a running router: metrics and log lines. Nothing here decides anything.

`names` is the one table of every metric; `metrics` turns events into observations; `prometheus` writes them
out.
"""
