"""The frame of all HTML pages, and the pages that belong to no room."""
