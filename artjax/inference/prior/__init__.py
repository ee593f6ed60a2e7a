"""What Deep Image Prior is made of: the fit, and the area it works on."""
