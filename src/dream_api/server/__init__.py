"""Runs the server: one per data directory, and nothing that was begun is lost when it stops."""

from dream_api.server.lifecycle import Greeting, serve
from dream_api.server.lock import AlreadyRunning, sole_server
from dream_api.server.sockets import CannotListen, listening

__all__ = ["AlreadyRunning", "CannotListen", "Greeting", "listening", "serve", "sole_server"]
