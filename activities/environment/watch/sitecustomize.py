"""Notes where a Python program tries to reach out of its machine. In the search path of a rehearsal, never of a job.

The kernel's counters say whether anything was tried at all; this says by which line and to which address.
"""

import importlib
import json
import os
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
RECORD = os.path.join(os.path.dirname(HERE), "records", "connections")
LARGEST = 64 * 1024


def is_local(host):
    if not isinstance(host, (str, bytes)) or host in ("", b""):
        return True
    name = host.decode("utf-8", "replace") if isinstance(host, bytes) else host
    own = (socket.gethostname(), "localhost", "ip6-localhost", "0.0.0.0", "::", "::1", "<broadcast>")
    return name in own or name.startswith("127.") or name.endswith(".localhost")


def caller():
    """The innermost line of code that is not the interpreter's own: first of the experiment, else of a package."""
    frame, package = sys._getframe(2), None
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(("<", sys.base_prefix + os.sep)) and file != __file__:
            place = f"{os.path.relpath(file)}:{frame.f_lineno}"
            if "site-packages" not in file:
                return place
            package = package or f"{file.split('site-packages' + os.sep)[-1]}:{frame.f_lineno}"
        frame = frame.f_back
    return package or os.path.basename(sys.argv[0] if sys.argv else "python")


def note(host, port):
    if isinstance(host, bytes):
        host = host.decode("utf-8", "replace")
    line = json.dumps({"host": host, "port": port if isinstance(port, (int, str)) else None, "at": caller()}) + "\n"
    if not os.path.exists(RECORD) or os.path.getsize(RECORD) < LARGEST:
        with open(RECORD, "a", encoding="utf-8") as record:
            record.write(line)


def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and len(address) >= 2 and not is_local(address[0]):
            note(address[0], address[1])
    elif event == "socket.getaddrinfo" and not is_local(arguments[0]):
        note(arguments[0], arguments[1])
    elif event == "socket.gethostbyname" and not is_local(arguments[0]):
        note(arguments[0], None)


def give_way():
    """An environment's or an image's own sitecustomize does what it would have done without this one."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != HERE]
    this = sys.modules.pop("sitecustomize")
    try:
        importlib.import_module("sitecustomize")
    except ModuleNotFoundError as error:
        sys.modules["sitecustomize"] = this
        if error.name != "sitecustomize":
            raise


sys.addaudithook(watch)
give_way()
