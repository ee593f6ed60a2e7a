"""How damage is drawn: shapes, crack networks, colours and textures."""
