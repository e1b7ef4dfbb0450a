"""Finds the regular expressions of a package, and text on which they would take too long."""
