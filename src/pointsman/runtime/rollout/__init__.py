"""Carrying a rollout out: the conductor, its record on the disk, and the kill switch."""
