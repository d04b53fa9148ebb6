"""cuDNN and cuBLASLt where pip puts them, beside PyTorch: nvidia/*/lib in a folder of packages. Cairn opens both by name."""
import glob
import os
import sys


def with_pip_libraries(environment):
    """The environment, its LD_LIBRARY_PATH followed by these folders."""
    folders = [f for path in sys.path for f in sorted(glob.glob(os.path.join(path, "nvidia", "*", "lib")))]
    known = [f for f in environment.get("LD_LIBRARY_PATH", "").split(":") if f]
    return {**environment, "LD_LIBRARY_PATH": ":".join(known + folders)}
