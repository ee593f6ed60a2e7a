"""The parts of picture files besides their pixels."""
