"""The process model of the server: supervisor, sockets, lock, worker process."""

from dream_api.server.lifecycle import Greeting, serve
from dream_api.server.lock import AlreadyRunning, lock_data_directory
from dream_api.server.sockets import CannotListen, bind_sockets

__all__ = ["AlreadyRunning", "CannotListen", "Greeting", "bind_sockets", "lock_data_directory", "serve"]
