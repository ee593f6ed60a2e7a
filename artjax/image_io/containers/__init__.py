"""The blocks that picture files are made of, beside their pixels."""
