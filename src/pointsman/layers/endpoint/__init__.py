"""From an Attempt to an Outcome for one worker; built once, when the worker joins."""
