"""Operations on examples: geometry, fields, sizes, colour, sketches."""
