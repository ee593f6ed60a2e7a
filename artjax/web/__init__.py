"""The web page: a picture in, the restored one back on the same page."""
