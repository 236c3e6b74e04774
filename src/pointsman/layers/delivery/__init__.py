"""From an Attempt to an Outcome, in the task of the dispatcher."""
