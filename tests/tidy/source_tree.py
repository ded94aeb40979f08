"""The repository's files as the tidy rules see them: by language, with comments told from code."""

import functools
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPP, PYTHON, SHELL, CMAKE, TEXT = "c++", "python", "shell", "cmake", "text"
CODE = (CPP, PYTHON, SHELL, CMAKE)
_SUFFIXES = {".h": CPP, ".cc": CPP, ".py": PYTHON, ".sh": SHELL, ".cmake": CMAKE,
             ".md": TEXT, ".yaml": TEXT, ".yml": TEXT, ".txt": TEXT, ".json": TEXT}
_INCLUDE = re.compile(r'^\s*#\s*include\s*(<[^>]+>|"[^"]+")', re.MULTILINE)
# A string, a character or a comment of C++; what is none of them stays as it is.
_CPP_NOISE = re.compile(
    r'R"(?P<fence>[^(\s]*)\(.*?\)(?P=fence)"|"(?:\\.|[^"\\\n])*"|(?<!\d)\'(?:\\.|[^\'\\\n])+\''
    r"|//[^\n]*|/\*.*?\*/", re.DOTALL)


class Source:
    def __init__(self, path, language, text):
        self.path = path  # relative to the root, with forward slashes
        self.language = language
        self.text = text

    @property
    def folder(self):
        return self.path.rpartition("/")[0]

    @functools.cached_property
    def lines(self):
        return self.text.splitlines()

    @functools.cached_property
    def code(self):
        """C++ without comments and literals, line numbers kept."""
        def blank(match):
            return re.sub(r"[^\n]", " ", match[0])
        return _CPP_NOISE.sub(blank, self.text)

    @functools.cached_property
    def includes(self):
        """(line, "path/x.h" or <x.h>) of each include directive."""
        return [(self.text.count("\n", 0, match.start(1)) + 1, match[1])
                for match in _INCLUDE.finditer(self.text)]

    def at(self, line):
        return f"{self.path}:{line}"


def tracked_paths():
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    return sorted({path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()})


def _language(path, text):
    name = path.rpartition("/")[2]
    if name == "CMakeLists.txt":
        return CMAKE
    if (known := _SUFFIXES.get(Path(name).suffix)) is not None:
        return known
    first = text.split("\n", 1)[0]
    if first.startswith("#!"):
        return PYTHON if "python" in first else SHELL
    return TEXT


@functools.lru_cache(maxsize=None)
def sources():
    """Every text file of the repository."""
    found = []
    for path in tracked_paths():
        data = (ROOT / path).read_bytes()
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            found.append(Source(path, _language(path, text), text))
    return found


def of(*languages, outside=()):
    return [source for source in sources()
            if source.language in languages and not source.path.startswith(tuple(outside))]
