"""Networks that remove noise and JPEG artefacts, one architecture a file."""
