"""Runs the server: one per data directory, and nothing that was begun is lost when it stops."""

from dream_api.server.binding import AlreadyRunning, CannotListen, listening, sole_server
from dream_api.server.lifecycle import Greeting, serve

__all__ = ["AlreadyRunning", "CannotListen", "Greeting", "listening", "serve", "sole_server"]
