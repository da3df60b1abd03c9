"""Reads ELF files with pyelftools: paths on standard input, ended by NUL; one JSON document on standard output.

A file that does not begin as ELF is left out; one that begins so and cannot be read is told with its error.
"""

import json
import os
import re
import sys

from elftools.common.exceptions import ELFError
from elftools.construct.core import ConstructError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection


def version_of(name):
    """("GLIBC", (2, 17)) for GLIBC_2.17; None for names without a number, like GLIBC_PRIVATE."""
    match = re.fullmatch(r"(GLIBC|GLIBCXX)_(\d+(?:\.\d+)*)", name)
    return match and (match[1], tuple(int(part) for part in match[2].split(".")))


def read(stream):
    elf = ELFFile(stream)
    needed, search, highest = [], [], {}
    for segment in elf.iter_segments(type="PT_DYNAMIC"):
        if not isinstance(segment, DynamicSegment):
            continue
        for tag in segment.iter_tags():
            if tag.entry.d_tag == "DT_NEEDED":
                needed.append(tag.needed)
            elif tag.entry.d_tag == "DT_RPATH":
                search.extend(tag.rpath.split(":"))
            elif tag.entry.d_tag == "DT_RUNPATH":
                search.extend(tag.runpath.split(":"))
    section = elf.get_section_by_name(".gnu.version_r")
    if isinstance(section, GNUVerNeedSection):
        for _, versions in section.iter_versions():
            for version in filter(None, (version_of(each.name) for each in versions)):
                highest[version[0]] = max(highest.get(version[0], ()), version[1])
    return {
        "machine": elf["e_machine"],
        "needed": needed,
        "search": [entry for entry in search if entry != ""],
        "versions": {name: ".".join(map(str, version)) for name, version in highest.items()},
    }


def main():
    report = {}
    for path in filter(None, sys.stdin.buffer.read().split(b"\0")):
        with open(path, "rb") as stream:
            if stream.read(4) != b"\x7fELF":
                continue
            stream.seek(0)
            try:
                report[os.fsdecode(path)] = read(stream)
            except (ELFError, ConstructError, AssertionError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
                report[os.fsdecode(path)] = {"error": f"{type(error).__name__}: {error}"}
    glibc = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else None
    json.dump({"glibc": glibc and glibc.split()[-1], "machine": os.uname().machine, "files": report}, sys.stdout)


main()
