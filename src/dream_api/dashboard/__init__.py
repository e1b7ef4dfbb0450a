"""Developers' HTML pages."""
