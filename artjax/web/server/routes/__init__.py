"""HTTP routes, with uploads and downloads."""
