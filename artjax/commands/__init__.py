"""Subcommands of `artjax` (artjax/cli.py), one a file; scripts/ calls them."""
