"""Runs one program so that nothing of it outlives whoever started it, also when one of them is killed.

    python3 -I guard.py [--lock FILE] [--grace SECONDS] -- program [argument...]

Standard input is a pipe from the owner, who writes nothing but "stop" and a line break: the program is then asked to end
(SIGTERM) and killed after the grace. When the pipe ends without that word the owner is dead, and the program is killed at
once. Descriptor 3 tells one JSON line: {"pid": N} once the program runs. The exit code is the program's (128 + number of
the signal that ended it); 75: the lock is held by another process; 126: the program cannot be started.

The lock is a flock(2) that the program inherits: it is held until the last of both is gone, whatever happens.
On Linux the program dies with this guard, and what it leaves behind is killed; elsewhere its process group is.
"""

import argparse
import ctypes
import fcntl
import json
import os
import select
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LOCK_PATIENCE_S = 20
LOCKED = 75
NOT_STARTED = 126
HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def prctl(option, value):
    """Does nothing where there is no prctl(2)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def take_lock(path, owner):
    """False when another process holds it for longer than an old one of ours takes to end, or the owner is gone."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(descriptor, True)
    limit = time.monotonic() + LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > limit or owner.wants_end(0.05):
                return False


class Owner:
    """The one who started this guard, at the other end of standard input."""

    def __init__(self):
        self.asked = False
        self.gone = False

    def wants_end(self, seconds, *others):
        """Waits so long for the owner's word (or for `others` to be readable); whether the program is to end."""
        watched = [*others] if self.asked or self.gone else [0, *others]
        if 0 in select.select(watched, [], [], seconds)[0]:
            word = os.read(0, 64)
            self.asked = self.asked or b"stop" in word
            self.gone = self.gone or word == b""
        return self.asked or self.gone


def start(argv):
    """The program's process id, in a session of its own."""
    guard = os.getpid()
    # A signal that reached the new process while it still has this one's handlers would be lost.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    pid = os.fork()
    if pid != 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return pid
    try:
        for name in (*HANDLED, signal.SIGPIPE):
            signal.signal(name, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(NOT_STARTED)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.closerange(3, 4)
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, f"{argv[0]} cannot be started: {error.strerror}\n".encode())
    os._exit(NOT_STARTED)


def kill(send, pid, name):
    try:
        send(pid, name)
    except (ProcessLookupError, PermissionError):
        pass


def children():
    """Process ids of this process's children, those that it inherited included; none where there is no /proc."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []


def sweep(group):
    """Kills what the program left behind: its group, and whatever became a child of this guard, until there is none."""
    kill(os.killpg, group, signal.SIGKILL)
    while True:
        for pid in children():
            kill(os.kill, pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def reap(program):
    """The program's exit code, None while it runs; its orphans that ended are reaped on the way."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return NOT_STARTED
        if pid == 0:
            return None
        if pid == program:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def watch(program, owner, grace, woken):
    """Waits for the program's end, or brings it about; its exit code."""
    deadline = None
    while True:
        code = reap(program)
        if code is not None:
            return code
        remaining = 3600 if deadline is None else max(0, deadline - time.monotonic())
        ending = owner.wants_end(remaining, woken)
        if select.select([woken], [], [], 0)[0]:
            os.read(woken, 4096)
        if owner.gone or (deadline is not None and time.monotonic() >= deadline):
            kill(os.killpg, program, signal.SIGKILL)
            deadline = time.monotonic() + 3600
        elif ending and deadline is None:
            kill(os.kill, program, signal.SIGTERM)
            deadline = time.monotonic() + grace


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lock")
    parser.add_argument("--grace", type=float, default=10)
    parser.add_argument("argv", nargs="+")
    options = parser.parse_args()
    owner = Owner()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # The owner's own end is what ends this; a signal to the whole group must not come first.
    for name in (signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: setattr(owner, "asked", True))
    if options.lock is not None and not take_lock(options.lock, owner):
        return 0 if owner.asked or owner.gone else LOCKED
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    program = start(options.argv)
    os.write(3, json.dumps({"pid": program}).encode() + b"\n")
    os.close(3)
    code = watch(program, owner, options.grace, woken)
    sweep(program)
    return code


if __name__ == "__main__":
    sys.exit(main())
