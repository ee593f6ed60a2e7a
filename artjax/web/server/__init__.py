"""The HTTP server, which decodes no picture and runs no network."""
