"""Picture files in and out, with depth, profile and metadata."""
