"""Finds the regular expressions of a package, and input on which they would take too long."""
