"""The HTTP server: decodes no picture and runs no network."""
