"""What values in the settings may be, and what every table of theirs has in common."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(min_length=1)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds = Annotated[float, Meta(gt=0.0, le=2_592_000.0)]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
ModelName = Annotated[str, Meta(pattern=r"^[!-~]{1,128}$")]
Money = Annotated[float, Meta(ge=0.0, le=1e12)]
Whole = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]


class Section(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A table of the settings file."""


class Secret(Section, frozen=True):
    """A secret, named and never written down: `{ env = "NAME" }` or `{ file = "path" }`, exactly one of the two."""

    env: Annotated[Text | None, Meta(description="environment variable that holds the secret")] = None
    file: Annotated[Text | None, Meta(description="file that holds the secret; a final newline is ignored")] = None
