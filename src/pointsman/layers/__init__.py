"""One concern a file. A layer maps an async function to one of the same type. It short-circuits by returning a value,
calls `inner` at most once, is immutable after construction (its state is an object given to it) and asks a `core`
object.

The order stands in `assembly.py` as one literal list; each layer's docstring ends with the reason for its position.
"""
