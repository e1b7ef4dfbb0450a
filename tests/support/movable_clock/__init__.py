"""A clock that a test sets for processes of the product while they run, as an operator or NTP sets a machine's.

`sitecustomize.py` beside this is imported by every interpreter that starts with `environment()`, and puts its
wall clock ahead by the microseconds in a file. The database's own clock and monotonic time stay as they are.
"""

import os
from pathlib import Path

_FOLDER = Path(__file__).parent
AHEAD = "CLOCK_AHEAD_FILE"


class MovableClock:
    def __init__(self, file: Path) -> None:
        self._file = file
        file.write_bytes(bytes(8))

    def environment(self) -> dict[str, str]:
        """For the processes whose clock it is."""
        paths = [str(_FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {"PYTHONPATH": os.pathsep.join(paths), AHEAD: str(self._file)}

    def put_ahead(self, microseconds: int) -> None:
        """Of the machine's time, at once in all of them; negative: behind it."""
        with self._file.open("r+b", buffering=0) as file:
            file.write(microseconds.to_bytes(8, "little", signed=True))
