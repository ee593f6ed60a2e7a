"""The web page: upload a picture, see it restored on the same page."""
