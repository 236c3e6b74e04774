"""Settings from file, environment and command line, and everything that explains them.

`load` is the way in. The tree itself, with every default and range, is `pointsman.model.settings`.
"""
