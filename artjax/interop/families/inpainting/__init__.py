"""Published networks that fill holes: their names, forms and fields."""
