"""Published networks, one family a file: their names, forms and fields.

Each module has `FAMILY`, see family.py; `published` lists them.
"""
