"""clang-tidy over the files named on stdin; the compile database must know every one of them.

A file is looked at again only when it, a header of ours that it includes, its command line,
.clang-tidy or clang-tidy itself has changed: the cache folder has one empty file per clean result.
"""

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import re
import subprocess
import sys

# The compile database is GCC's: clang does not know all of its warnings.
GCC_ONLY = "--extra-arg=-Wno-unknown-warning-option"
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


class Fingerprints:
    """Hashes of a source file together with all of the project's headers below it."""

    def __init__(self, root, salt):
        self.root, self.salt, self.seen = root, salt, {}

    def includes(self, path):
        if path not in self.seen:
            try:
                text = (self.root / path).read_bytes()
            except OSError:
                self.seen[path] = (b"", [])
                return self.seen[path]
            beside = pathlib.PurePosixPath(path).parent
            names = [name.decode() for name in INCLUDE.findall(text)]
            found = [c for n in names for c in (n, str(beside / n)) if (self.root / c).is_file()]
            self.seen[path] = (hashlib.sha256(text).digest(), found)
        return self.seen[path]

    def of(self, path, command):
        closure, todo = {}, [path]
        while todo:
            current = todo.pop()
            if current not in closure:
                digest, below = self.includes(current)
                closure[current] = digest
                todo += below
        whole = hashlib.sha256(self.salt + command.encode())
        for name in sorted(closure):
            whole.update(name.encode() + closure[name])
        return whole.hexdigest()


def look_at(path, build):
    done = subprocess.run(["clang-tidy", "--quiet", "-p", build, GCC_ONLY, path],
                          capture_output=True, text=True, check=False)
    return path, done.returncode, done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    root = pathlib.Path.cwd()
    options.cache.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    prints = Fingerprints(root, version + (root / ".clang-tidy").read_bytes())
    with open(pathlib.Path(options.build) / "compile_commands.json", encoding="utf-8") as file:
        commands = {entry["file"]: entry["command"] for entry in json.load(file)}
    marks = {}
    for path in sys.stdin.read().split():
        command = commands.get(str(root / path))
        if not command:
            sys.exit(f"{path} is not in {options.build}/compile_commands.json")
        mark = options.cache / prints.of(path, command)
        if not mark.exists():
            marks[path] = mark
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        looks = pool.map(lambda path: look_at(path, options.build), marks)
        for count, (path, code, output) in enumerate(looks, 1):
            print(f"[{count}/{len(marks)}] {path}", flush=True)
            if code == 0:
                marks[path].touch()
            else:
                failures += 1
                print(output, flush=True)
    print(f"{failures} files with findings")
    sys.exit(failures != 0)


main()
