"""Speed of the input pipeline, of networks, of start-up and of restoration."""
