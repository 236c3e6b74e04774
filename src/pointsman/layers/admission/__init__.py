"""From an Envelope to a Receipt, in the task of the caller."""
