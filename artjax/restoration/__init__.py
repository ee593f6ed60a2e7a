"""Picture files restored by a chain of stages, with a record of it."""
