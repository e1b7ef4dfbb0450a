"""The layout of all HTML pages and emails, and the page of errors."""
