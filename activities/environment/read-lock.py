"""Says what a lock would install on one platform, by the rules of `packaging`: read-lock.py, JSON in, JSON out.

In: {"lock": a parsed pylock.toml, "python": "3.11.7", "machine": "x86_64", "glibc": "2.28" or null}.
Out: {"requires_python": …, "python_fits": …, "packages": [{"name", "version", "hashes", "wheel", "has_wheels",
"has_source", "local"}]}; "wheel" is the file that fits, "local" marks code that is not from an index.
"""

import json
import sys

from packaging.markers import default_environment
from packaging.pylock import Pylock
from packaging.tags import compatible_tags, cpython_tags, platform_tags
from packaging.utils import parse_wheel_filename


def platforms(machine, glibc):
    """Platform tags of a Linux with this glibc, best first; those of this machine when it is not known."""
    if glibc is None:
        return list(platform_tags())
    major, newest = (int(part) for part in glibc.split(".")[:2])
    aliases = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    names = []
    for minor in range(newest, 4 if machine == "x86_64" else 16, -1):
        names.append(f"manylinux_{major}_{minor}_{machine}")
        if minor in aliases:
            names.append(f"{aliases[minor]}_{machine}")
    return [*names, f"linux_{machine}"]


def environment_of(python, machine):
    return {
        **default_environment(),
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "implementation_version": python,
        "platform_machine": machine,
    }


def package_of(package, ranks):
    wheels = list(package.wheels or [])
    fitting = []
    for wheel in wheels:
        rank = min((ranks[tag] for tag in parse_wheel_filename(wheel.filename)[-1] if tag in ranks), default=None)
        if rank is not None:
            fitting.append((rank, wheel.filename, wheel))
    best = min(fitting, key=lambda each: each[:2], default=None)
    chosen = best[2] if best else package.archive
    return {
        "name": package.name,
        "version": package.version and str(package.version),
        "hashes": [f"{kind}:{value}" for kind, value in sorted((chosen.hashes if chosen else {}).items())],
        "wheel": best[1] if best else None,
        "has_wheels": wheels != [],
        "has_source": package.sdist is not None,
        "local": bool(package.directory or package.vcs or package.archive),
    }


def main():
    question = json.load(sys.stdin)
    lock = Pylock.from_dict(question["lock"])
    python, machine = question["python"], question["machine"]
    version = tuple(int(part) for part in python.split(".")[:2])
    names = platforms(machine, question["glibc"])
    tags = [*cpython_tags(version, platforms=names), *compatible_tags(version, f"cp{version[0]}{version[1]}", names)]
    ranks = {tag: rank for rank, tag in reversed(list(enumerate(tags)))}
    environment = {**environment_of(python, machine), "extras": frozenset(), "dependency_groups": frozenset()}
    chosen = [each for each in lock.packages if not each.marker or each.marker.evaluate(environment, context="lock_file")]
    wanted = lock.requires_python
    answer = {
        "requires_python": wanted and str(wanted),
        "python_fits": wanted is None or wanted.contains(python, prereleases=True),
        "packages": [package_of(each, ranks) for each in chosen],
    }
    json.dump(answer, sys.stdout)


main()
