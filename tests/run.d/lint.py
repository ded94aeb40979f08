"""clang-tidy over the files named on stdin; the compile database must know every one of them.

Up to twelve files of a folder are looked at as one, as sanitizer builds compile them: most of the
time goes into the headers below. They are looked at again only when one of them, a header of ours
that it includes, the command line, .clang-tidy or clang-tidy itself has changed: the cache folder
has one empty file per clean result.
"""

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shlex
import subprocess
import sys

BATCH = 12
# The compile database is GCC's: clang does not know all of its warnings. What one file shadows of
# another is nothing, and GCC tells the rest.
FLAGS = ("-Wno-unknown-warning-option", "-Wno-shadow")
# The file that includes the others is nobody's.
INCLUDED = "--checks=-bugprone-suspicious-include"
TARGET = re.compile(r" -o (\S+[.]dir)/")
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

    def of(self, paths, flags):
        closure, todo = {}, list(paths)
        while todo:
            current = todo.pop()
            if current not in closure:
                digest, below = self.includes(current)
                closure[current] = digest
                todo += below
        whole = hashlib.sha256(self.salt + "\0".join(flags).encode())
        for name in sorted(closure):
            whole.update(name.encode() + closure[name])
        return whole.hexdigest()


def flags_of(command, path):
    """What the compiler is told, without its name, input and output."""
    words = shlex.split(command)
    words = words[next(i for i, word in enumerate(words) if word.startswith("-")):]
    kept = []
    while words:
        word = words.pop(0)
        if word == "-o":
            words.pop(0)
        elif word != "-c" and word != path:
            kept.append(word)
    return kept


def batches_of(paths, commands, root):
    """Files of one target, in order, BATCH at a time: (paths, flags)."""
    groups = {}
    for path in paths:
        full = str(root / path)
        target = TARGET.search(commands[full])
        key = (target and target[1], *flags_of(commands[full], full))
        groups.setdefault(key, []).append(path)
    return [(group[at:at + BATCH], list(key[1:])) for key, group in groups.items()
            for at in range(0, len(group), BATCH)]


def look_at(paths, flags, root, folder):
    """Whether clang-tidy finds nothing, and what it says."""
    together = folder / (paths[0].replace("/", "_") + ".all.cc")
    together.write_text("".join(f'#include "{root / path}"\n' for path in paths), encoding="utf-8")
    done = subprocess.run(["clang-tidy", "--quiet", INCLUDED, f"--config-file={root}/.clang-tidy",
                           together, "--", *flags, *FLAGS],
                          capture_output=True, text=True, check=False)
    if len(paths) > 1 and "[clang-diagnostic-error]" in done.stdout:  # they do not go together
        clean, said = zip(*(look_at([path], flags, root, folder) for path in paths))
        return all(clean), "".join(said)
    return done.returncode == 0, done.stdout + (done.stderr if done.returncode != 0 else "")


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
    paths = sys.stdin.read().split()
    for path in paths:
        if str(root / path) not in commands:
            sys.exit(f"{path} is not in {options.build}/compile_commands.json")
    todo = []
    for batch, flags in batches_of(paths, commands, root):
        mark = options.cache / prints.of(batch, flags)
        if not mark.exists():
            todo.append((batch, flags, mark))
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        looks = pool.map(lambda task: look_at(*task[:2], root, options.cache), todo)
        for count, ((batch, _, mark), (clean, output)) in enumerate(zip(todo, looks), 1):
            print(f"[{count}/{len(todo)}] {' '.join(batch)}", flush=True)
            if clean:
                mark.touch()
            else:
                failures += 1
                print(output, flush=True)
    print(f"{failures} of {len(todo)} with findings")
    sys.exit(failures != 0)


main()
