"""Figures, not tests: each script prints what it measured, with machine, date and versions. Run all with `make bench`.

How to read them: `docs/explanation/performance.md`. Machines are shared and noisy, so the scripts interleave what they
measure with a calibration loop and print CPU time beside wall time; judge by ratios.
"""
