"""The first thing a job runs on its node: is this the environment that was proven, and does its GPU answer?

    python -I - ENVIRONMENT

Prints one line. Exit code 78 means that the training must not begin; the line then says why and what to do.
"""

import ctypes
import importlib.util
import json
import os
import platform
import sys

UNFIT = 78


def refuse(reason):
    print(reason, flush=True)
    sys.exit(UNFIT)


def inside(path, folder):
    return os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep)


def check_environment(venv):
    """The interpreter and its library come from where they were proven."""
    if os.path.realpath(sys.prefix) != os.path.realpath(venv):
        refuse(f"Python runs in {sys.prefix}, expected {os.path.realpath(venv)}: was the environment frozen again?")
    folder = os.path.dirname(os.path.realpath(venv))
    try:
        with open(os.path.join(folder, "environment.json"), encoding="utf-8") as file:
            proven = json.load(file)["python"]
    except (OSError, ValueError, KeyError) as error:
        refuse(f"the environment {folder} has no proof that can be read ({error}): freeze it again")
    if platform.python_version() != proven["version"]:
        refuse(f"Python is {platform.python_version()}, but {proven['version']} was proven: does the job use the image of the task note?")
    if proven["managed"] and not inside(os.__file__, folder):
        refuse(f"Python's own library comes from {os.__file__}, expected it below {folder}")
    for file in mapped_files():
        if os.path.basename(file).startswith("libpython") and not inside(file, sys.base_prefix):
            refuse(f"Python runs on {file}, expected a library below {sys.base_prefix}: is LD_LIBRARY_PATH set in the image?")
    return folder


def mapped_files():
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
            return sorted({line.split(None, 5)[5].rstrip() for line in maps if line.count("/") > 1})
    except FileNotFoundError:
        return []


def check_driver():
    """What the driver says of itself; None on a node without a GPU of NVIDIA."""
    if not os.path.exists("/dev/nvidiactl"):
        return None
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        refuse(f"the node has a GPU, but its driver's library cannot be loaded ({error}): is the image made for GPUs?")
    version, count = ctypes.c_int(0), ctypes.c_int(0)
    cuda.cuDriverGetVersion(ctypes.byref(version))
    code = cuda.cuInit(0)
    if code != 0:
        refuse(f"the GPU's driver does not start (cuInit: CUDA error {code}, driver for {cuda_text(version.value)}): report the node")
    code = cuda.cuDeviceGetCount(ctypes.byref(count))
    if code != 0 or count.value == 0:
        refuse(f"the driver sees no GPU (CUDA error {code}, CUDA_VISIBLE_DEVICES={os.environ.get('CUDA_VISIBLE_DEVICES', 'unset')}): report the node")
    return version.value, count.value


def cuda_text(number):
    return f"CUDA {number // 1000}.{number % 1000 // 10}"


def check_torch(driver):
    """Imports torch, which takes seconds, only where it is installed and there is a GPU to see."""
    if driver is None or importlib.util.find_spec("torch") is None:
        return None
    try:
        import torch
    except Exception as error:
        refuse(f"torch cannot be imported on this node: {type(error).__name__}: {error}")
    built = torch.version.cuda
    if built is None:
        return f"torch {torch.__version__} is a build without CUDA"
    if not torch.cuda.is_available():
        refuse(
            f"torch {torch.__version__} needs CUDA {built} and cannot use the GPU; the driver is for {cuda_text(driver[0])}: "
            "lock a torch for that CUDA or an older one, or take nodes with a newer driver"
        )
    return f"torch {torch.__version__} with CUDA {built} sees {torch.cuda.device_count()}"


def main():
    folder = check_environment(sys.argv[1])
    driver = check_driver()
    torch = check_torch(driver)
    gpu = "no GPU" if driver is None else f"driver for {cuda_text(driver[0])}, GPUs: {driver[1]}"
    print("; ".join(part for part in (f"Python {platform.python_version()} in {folder}", gpu, torch) if part), flush=True)
    # Nothing that was imported may keep the job from beginning.
    os._exit(0)


main()
