"""What a result says of its making: a record, a history, a signature."""
