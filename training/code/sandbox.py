"""Run a generated function against its checks in a process of its own. For the evaluation only: the app runs no code.

The process has limits on time, memory and file size, no environment, no site packages, and an audit hook that refuses
files outside its temporary folder (the standard library may be read), processes, sockets and foreign functions. That
contains a small model's mistakes; it does not stop an attacker.
"""

import secrets
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from training.code.task import Check

SECONDS, MEMORY, FILE_SIZE, WALL = 2, 512 * 2**20, 2**16, 6.0
INPUT = "input.txt"
PRELUDE = f"""\
import os, resource, sys, sysconfig
resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
resource.setrlimit(resource.RLIMIT_FSIZE, ({FILE_SIZE}, {FILE_SIZE}))
def guard(own, library, inside):
    refused = ("subprocess.", "socket.", "ctypes.", "shutil.", "pty.", "os.system", "os.exec", "os.fork",
               "os.posix_spawn", "os.kill", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink",
               "os.chmod", "os.chown", "os.truncate", "os.chdir", "os.putenv", "signal.", "resource.")
    def hook(event, details):
        if event == "open" and isinstance(details[0], (str, bytes)):
            path = inside(os.fsdecode(details[0]))
            reading = not details[2] & (os.O_WRONLY | os.O_RDWR)
            if not path.startswith(own) and not (reading and path.startswith(library)):
                raise PermissionError("refused: a file outside the folder")
        elif event.startswith(refused):
            raise PermissionError("refused: " + event)
    sys.addaudithook(hook)
guard(os.getcwd() + os.sep, sysconfig.get_paths()["stdlib"], os.path.abspath)
"""


def program(code: str, name: str, checks: Sequence[Check], reads_file: bool, sign: str) -> str:
    """The whole program; it prints ``sign`` if every check holds."""
    lines = [PRELUDE, f"space = {{}}\nexec(compile({code!r}, 'generated', 'exec'), space)\nfunction = space[{name!r}]"]
    for given, expected in checks:
        values = given
        if reads_file:
            lines.append(f"with open({INPUT!r}, 'w') as file:\n    file.write({given[0]!r})")
            values = (INPUT, *given[1:])
        lines.append(f"assert function(*{values!r}) == {expected!r}")
    return "\n".join([*lines, f"print({sign!r})", ""])


def passes(code: str, name: str, checks: Sequence[Check], reads_file: bool = False) -> bool:
    """Whether the function ``name`` that ``code`` defines gives what every check expects."""
    sign = secrets.token_hex(8)
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).resolve()), "-I", "-S", "-"]
        try:
            done = subprocess.run(
                command,
                input=program(code, name, checks, reads_file, sign),
                cwd=folder,
                env={},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=WALL,
                check=False,
            )
        except (subprocess.TimeoutExpired, UnicodeEncodeError, BrokenPipeError):
            return False
    return done.returncode == 0 and done.stdout.rstrip("\n").endswith(sign)
