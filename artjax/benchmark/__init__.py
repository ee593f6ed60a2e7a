"""Speed of the input pipeline, of networks, of starts and restoration."""
