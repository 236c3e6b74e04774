"""Which class a message has, and why: explicit hint, else conversation pin, else rules, else the fallback class.

`ask` finds the newest human request, `tokens` cuts it into words, `rules` (with `builtin` and `builtin_languages`)
and `structure` find what speaks for a class, `evidence` turns that into probabilities, `pins` remembers
conversations, `names` resolves what a sender calls a class, and `pipeline` puts them in order. Message text never
meets a regular expression.
"""
