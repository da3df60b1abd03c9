"""Installs a seccomp filter that refuses every socket family but AF_UNIX, then becomes the command it is given.

For machines on which no namespace can be made. The filter is kept by every descendant and cannot be taken off.
"""

import ctypes
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2

ALLOW = 0x7FFF0000
REFUSE = 0x00050000  # SECCOMP_RET_ERRNO, the number of the error in the low bits
EPERM = 1
ENOSYS = 38
EAFNOSUPPORT = 97
AF_UNIX = 1

# machine: (audit architecture, number of socket, number of io_uring_setup)
MACHINES = {
    "x86_64": (0xC000003E, 41, 425),
    "aarch64": (0xC00000B7, 198, 425),
}

LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
RETURN = 0x06  # BPF_RET | BPF_K

# Offsets in struct seccomp_data.
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16


def program(architecture, socket, io_uring_setup):
    lines = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, REFUSE | EPERM),  # another calling convention numbers its calls differently
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, 0x40000000),
        (RETURN, 0, 0, REFUSE | EPERM),  # x32 on x86-64
        (EQUAL, 0, 1, io_uring_setup),
        (RETURN, 0, 0, REFUSE | ENOSYS),  # its requests pass no filter
        (EQUAL, 1, 0, socket),
        (RETURN, 0, 0, ALLOW),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (EQUAL, 0, 1, AF_UNIX),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE | EAFNOSUPPORT),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines), len(lines)


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def install():
    machine = platform.machine()
    if machine not in MACHINES:
        sys.exit("isolation: no filter is known for the machine type " + machine)
    code, length = program(*MACHINES[machine])
    buffer = ctypes.create_string_buffer(code, len(code))
    filters = Program(length, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    address = ctypes.addressof(filters)
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, address, 0, 0)):
        if libc.prctl(*arguments) != 0:
            sys.exit("isolation: the filter was refused: " + os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    install()
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as error:
        sys.exit("isolation: {} could not be started: {}".format(sys.argv[1], error.strerror))
