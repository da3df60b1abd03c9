"""Imports every top-level package of an environment and says what it saw: probe.py REPORT_FILE.

Runs as the job will: no network, another home, nothing outside the environment and its interpreter needed.
"""

import contextlib
import importlib
import importlib.metadata
import importlib.util
import io
import json
import os
import platform
import sys
import sysconfig


def top_level_names(distribution):
    """Importable names at the top of a distribution, as its list of files shows them."""
    names = set()
    for file in distribution.files or []:
        head = file.parts[0]
        if head in ("..", "__pycache__") or head.endswith((".dist-info", ".libs", ".data")):
            continue
        if len(file.parts) == 1:
            # Only modules: __editable__ finders and the like begin with an underscore.
            head = head.split(".")[0] if head.endswith((".py", ".so")) else ""
        elif not file.name.endswith((".py", ".so")):
            continue
        if head.isidentifier() and not head.startswith("_"):
            names.add(head)
    return names


def import_all(names):
    """Name and error of those that cannot be imported."""
    failures = []
    for name in sorted(names):
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                importlib.import_module(name)
        except BaseException as error:  # A module that calls sys.exit at import is a failure like any other.
            failures.append({"name": name, "error": f"{type(error).__name__}: {error}"})
    return failures


def loaded_from_outside(allowed):
    """Modules and search path entries that are somewhere else than in the environment or its interpreter."""
    roots = tuple(os.path.realpath(folder) + os.sep for folder in allowed)
    outside = []
    seen = [(name, getattr(module, "__file__", None)) for name, module in sorted(sys.modules.items())]
    seen += [("an entry of the search path", entry) for entry in sys.path if os.path.exists(entry)]
    for name, file in seen:
        if not isinstance(file, str) or not os.path.isabs(file):
            continue
        # A distribution's interpreter may link parts of its own library elsewhere, as Debian does with
        # sitecustomize.py; links out of the environment itself are the scan's to find.
        own = file.startswith((sys.base_prefix + os.sep, *roots))
        # This file goes by more than one name once something multiplies processes.
        if os.path.realpath(file) != os.path.realpath(__file__) and not own and not os.path.realpath(file).startswith(roots):
            outside.append({"name": name, "file": file})
    return outside


def mapped_libraries():
    """Files of shared libraries that this process really runs on, however they were found."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
            files = {fields[5].rstrip("\n") for fields in (line.split(None, 5) for line in maps) if len(fields) == 6}
    except FileNotFoundError:  # There is no /proc where the platform has none.
        return []
    return sorted(file for file in files if ".so" in os.path.basename(file) and os.path.isabs(file))


SYSTEM = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")


def divide_libraries(allowed):
    """Those that are the machine's own, which the image must have too, and those that nobody vouches for."""
    roots = tuple(os.path.realpath(folder) + os.sep for folder in allowed)
    system, outside = [], []
    for file in mapped_libraries():
        if file.startswith(roots):
            continue
        name = os.path.basename(file)
        # Another Python's library would make the interpreter behave as that one does.
        if file.startswith(SYSTEM) and not name.startswith("libpython"):
            system.append(name)
        else:
            outside.append({"name": name, "file": file})
    return system, outside


def main():
    packages = sysconfig.get_paths()["purelib"]
    distributions = list(importlib.metadata.distributions(path=[packages]))
    names = set().union(*(top_level_names(distribution) for distribution in distributions))
    failures = import_all(names)
    system, libraries = divide_libraries([sys.prefix, sys.base_prefix])
    report = {
        "version": platform.python_version(),
        "executable": sys.executable,
        "prefix": sys.prefix,
        "packages": sorted(({"name": d.metadata["Name"], "version": d.version} for d in distributions), key=lambda d: d["name"].lower()),
        "imported": sorted(names),
        "failures": failures,
        "outside": loaded_from_outside([sys.prefix, sys.base_prefix]) + libraries,
        "systemLibraries": system,
    }
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(report, file)
    # Threads that an import started must not keep the probe alive.
    sys.stdout.flush()
    os._exit(0)


main()
