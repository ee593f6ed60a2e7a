"""Data: sources of pictures, ops on examples, batches, prepared datasets."""
