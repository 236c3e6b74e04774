"""What runs: pools of workers, dispatchers, the reaper, waiting callers. They ask `core` and drive the two stacks."""
