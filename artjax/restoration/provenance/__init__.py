"""Provenance of a result: a record, a history in XMP, a signature."""
