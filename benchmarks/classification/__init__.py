"""The classifier against its bars: `python -m benchmarks classification`, or `make eval`.

Some bars need data of others, which are no part of the project: without them their rows say so.

    figures     one row: what was measured, beside its bar
    own         the project's own messages, and a classifier that has not seen some of them
    clinc       150 classes with validation, threshold and messages out of scope
    outcomes    where the strong worker pays off
    default     the model that comes along, judged by folds of groups
    cost        microseconds by length, and inputs made to be slow
    robust      typos, case, spacing, long contexts, hints in the text
    explained   evidence adds up, and names what decided
    feedback    what a sender who lies costs, and whether rolling back brings everything back
    footprint   import, file, memory
"""
