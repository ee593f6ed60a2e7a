"""Published networks of attention, one family per file; see `family`."""
