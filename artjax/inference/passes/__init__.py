"""Further passes of a network over a picture, besides the one in tiles."""
