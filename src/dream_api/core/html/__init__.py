"""HTML rendering: the template environment, formatting filters, the base layout and the error page."""
