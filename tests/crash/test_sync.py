"""What is answered is on the disk. `kill -9` cannot tell, since the page cache survives it: system calls are traced.

One caller asks for one thing at a time. Between the moment its request is read and the moment its answer is written,
the log must be written and, after that, synced, and the sync must have returned.
"""

import contextlib
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path

import psutil
import pytest

from tests.support.load import Call, Served

pytestmark = pytest.mark.both

CALLS = 12
_TRACED = "read,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,pwritev,pwritev2,fsync,fdatasync"
_READS = ("read", "recvfrom", "recvmsg")
_WRITES = ("write", "writev", "sendto", "sendmsg")
_BEGUN = re.compile(r" *[\d.]+ (?P<name>\w+)\((?P<told>.*?)(?P<unfinished> <unfinished \.\.\.>)?")
_RESUMED = re.compile(r" *[\d.]+ <\.\.\. \w+ resumed>(?P<told>.*)")
SQLITE_LOG = "dream.db-wal>"
POSTGRES_LOG = "/pg_wal/"


@dataclass(slots=True)
class Traced:
    """A system call: the lines of the trace on which it began and returned, and what strace told of it."""

    thread: str
    name: str
    began: int
    ended: float
    told: str

    @property
    def is_question(self) -> bool:
        return self.name in _READS and '"POST /api/data ' in self.told

    @property
    def is_answer(self) -> bool:
        return self.name in _WRITES and '"HTTP/1.1 200 ' in self.told

    @property
    def is_commit(self) -> bool:
        return self.name in _WRITES and '"C\\0\\0\\0\\vCOMMIT\\0' in self.told

    def writes(self, log: str) -> bool:
        return self.name.startswith("pwrite") and log in self.told

    def syncs(self, log: str) -> bool:
        return self.name in ("fsync", "fdatasync") and log in self.told and self.told.endswith(" = 0")


def parsed(trace: str) -> list[Traced]:
    """The system calls of `strace -f -ttt -yy`, in the order in which they began."""
    calls: list[Traced] = []
    unfinished: dict[str, Traced] = {}
    for number, line in enumerate(trace.splitlines(), 1):
        thread, _, rest = line.partition(" ")
        resumed, begun = _RESUMED.fullmatch(rest), _BEGUN.fullmatch(rest)
        if resumed is not None and thread in unfinished:
            call = unfinished.pop(thread)
            call.ended, call.told = number, call.told + resumed["told"]
        elif begun is not None:
            call = Traced(thread, begun["name"], number, inf if begun["unfinished"] else number, begun["told"])
            calls.append(call)
            if begun["unfinished"]:
                unfinished[thread] = call
    return calls


def early_answers(trace: str, log: str) -> list[str]:
    """One sentence for each answer that did not wait for the disk."""
    calls = parsed(trace)
    questions = [call for call in calls if call.is_question]
    answers = [call for call in calls if call.is_answer]
    assert len(questions) == len(answers) > 0, "Each question in the trace has an answer."
    told: list[str] = []
    for question, answer in zip(questions, answers, strict=True):
        between = [call for call in calls if question.began < call.began < answer.began]
        if not _is_synced(between, answer.began, log):
            told.append(f"line {answer.began}: no sync of what was written returned before the answer")
        elif log == POSTGRES_LOG and not _told_after_sync(between, log):
            told.append(f"line {answer.began}: no sync returned before PostgreSQL told of the commit")
    return told


def _told_after_sync(between: list[Traced], log: str) -> bool:
    told = [call.began for call in between if call.is_commit]
    return bool(told) and _is_synced([call for call in between if call.began < told[-1]], told[-1], log)


def _is_synced(calls: list[Traced], until: int, log: str) -> bool:
    """Whether the log was written, and then synced by a thread that wrote no more, all before that line."""
    writes = [call for call in calls if call.writes(log)]
    return any(
        any(write.ended < sync.began for write in writes)
        and not any(write.thread == sync.thread and write.began > sync.began for write in writes)
        for sync in calls
        if sync.syncs(log) and sync.ended < until
    )


@contextlib.contextmanager
def traced(pids: list[int], into: Path) -> Iterator[None]:
    """strace beside running processes and all their threads and children."""
    if shutil.which("strace") is None:
        pytest.skip("strace is missing; on Debian and Ubuntu: apt-get install strace")
    which = [part for pid in pids for part in ("-p", str(pid))]
    command = ["strace", "-f", "-ttt", "-yy", "-s", "64", "-e", f"trace={_TRACED}", "-o", str(into), *which]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    try:
        waiting = set(pids)
        while waiting:
            line = tracer.stderr.readline()
            if "Operation not permitted" in line:
                pytest.skip(
                    "strace may not look at running processes here: run as root, or set kernel.yama.ptrace_scope=0"
                )
            assert line, "strace ended."
            waiting -= {pid for pid in waiting if f"Process {pid} attached" in line}
        yield
        time.sleep(0.1)  # for the last lines
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=20)


def _log(database_kind: str) -> str:
    return SQLITE_LOG if database_kind == "sqlite" else POSTGRES_LOG


@pytest.mark.slow
async def test_an_answer_leaves_when_its_count_is_on_the_disk(
    served: Served, database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    await served.call(Call("ada"))
    pids = [served.server.pid]
    if database_kind == "postgres":
        postmaster = psutil.Process(request.getfixturevalue("durable_postgres").pid)
        pids += [postmaster.pid, *(child.pid for child in postmaster.children(recursive=True))]

    with traced(pids, tmp_path / "trace"):
        tally = await served.call(*[Call("ada")] * CALLS, connections=1)

    assert tally.acknowledged["ada"] == CALLS
    assert early_answers((tmp_path / "trace").read_text(), _log(database_kind)) == []


ASKED = r'7 1.0 read(21<TCP:[a]>, "POST /api/data HTTP/1.1\r\nHost"..., 256000) = 131'
WRITTEN = r'8 1.1 pwrite64(25</x/dream.db-wal>, "\0\0"..., 1024, 1) = 1024'
SYNCED = "8 1.2 fdatasync(25</x/dream.db-wal>) = 0"
ANSWERED = r'7 1.3 write(21<TCP:[a]>, "HTTP/1.1 200 OK\r\ndate"..., 528) = 528'
BEGINS_TO_SYNC = "8 1.2 fdatasync(25</x/dream.db-wal> <unfinished ...>"
HAS_SYNCED = "8 1.2 <... fdatasync resumed>) = 0"


@pytest.mark.parametrize(
    ("lines", "early"),
    [
        pytest.param([ASKED, WRITTEN, SYNCED, ANSWERED], 0, id="in order"),
        pytest.param([ASKED, WRITTEN, BEGINS_TO_SYNC, HAS_SYNCED, ANSWERED], 0, id="in order, interrupted"),
        pytest.param([ASKED, WRITTEN, ANSWERED, SYNCED], 1, id="synced after the answer"),
        pytest.param([ASKED, WRITTEN, BEGINS_TO_SYNC, ANSWERED, HAS_SYNCED], 1, id="returned after the answer"),
        pytest.param([ASKED, SYNCED, WRITTEN, ANSWERED], 1, id="written after the sync"),
        pytest.param([ASKED, WRITTEN, SYNCED, WRITTEN, ANSWERED], 1, id="written again after the sync"),
        pytest.param([ASKED, WRITTEN, ANSWERED], 1, id="never synced"),
        pytest.param([ASKED, SYNCED, ANSWERED], 1, id="never written"),
        pytest.param([ASKED, WRITTEN, SYNCED.replace("-wal", ""), ANSWERED], 1, id="another file"),
        pytest.param([ASKED, WRITTEN, SYNCED.replace("0", "-1 EIO (I/O error)"), ANSWERED], 1, id="failed"),
        pytest.param([ASKED, WRITTEN, SYNCED, ANSWERED, ASKED, WRITTEN, ANSWERED], 1, id="only the first"),
    ],
)
def test_the_check_of_a_trace_sees_an_answer_that_is_early(lines: list[str], early: int) -> None:
    assert len(early_answers("\n".join(lines), SQLITE_LOG)) == early


def test_the_check_of_a_trace_sees_a_commit_that_postgresql_tells_early() -> None:
    log = "/x/pg_wal/0001"
    written, synced = (line.replace("/x/dream.db-wal", log) for line in (WRITTEN, SYNCED))
    committed = r'8 1.2 sendto(8<TCP:[b]>, "C\0\0\0\vCOMMIT\0Z\0\0\0\5I", 18, 0, NULL, 0) = 18'

    assert early_answers("\n".join([ASKED, written, synced, committed, ANSWERED]), POSTGRES_LOG) == []
    assert len(early_answers("\n".join([ASKED, written, committed, synced, ANSWERED]), POSTGRES_LOG)) == 1
