"""Shape and words of source files. Each rule says what to do instead."""

import re

from rules import report
from source_tree import CMAKE, CODE, CPP, PYTHON, SHELL, of, sources, tracked_paths

LINES_MAX = 400
COLUMNS_MAX = 100

# Rule -> (pattern over C++ without comments and literals, what to do instead).
BANNED_CPP = {
    "regex": (r"\bstd::w?regex\b",
              "parse by hand (proxy/base/ascii.h): its time and stack are unbounded"),
    "c-string": (r"\b(?:str(?:n?cpy|n?cat|tok)|v?sprintf|gets|ato[ifl]+|alloca)\s*\(",
                 "use std::string, std::string_view, fmt::format or std::from_chars"),
    # Straight into a smart pointer is fine: that is how a private constructor is reached.
    "new": (r"^(?!.*_ptr<.*\(new ).*\bnew\b(?!\s*\()",
            "use std::make_unique, std::make_unique_for_overwrite or a value"),
    "delete": (r"(?<!=)(?<!= )\bdelete\b",
               "let an owner do it: std::unique_ptr, Owned, defer_delete"),
    "c-sleep": (r"\b(?:sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(",
                "use a timer of the loop; in tests wait for the event itself"),
    "using-namespace": (r"\busing\s+namespace\s+(?!std::(?:\w+::)*\w*literals\b)",
                        "name what is used, or a namespace alias"),
}
FREE = re.compile(r"\b\w+_free\s*\(")

# Words that two readers understand in two ways, in any code and its comments.
AMBIGUOUS = re.compile(r"(?<![A-Za-z])(?:down" r"stream|back" r"end|front" r"end)s?(?![A-Za-z])",
                       re.IGNORECASE)
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
MACHINE_PATH = re.compile(r"(?<![\w.~}$\"-])/(?:wo" r"rk|root|tmp)/[\w.]")


def test_files_are_short():
    report("file-length",
           [(s.path, s.path, f"{len(s.lines)} lines") for s in of(*CODE)
            if len(s.lines) > LINES_MAX],
           f"split at {LINES_MAX} lines: one job per file, said in its first comment")


def test_lines_are_short():
    report("line-length",
           [(s.path, s.at(n), f"{len(line)} columns") for s in of(*CODE)
            for n, line in enumerate(s.lines, 1) if len(line) > COLUMNS_MAX],
           f"break lines at {COLUMNS_MAX} columns; clang-format does C++")


# The rooms of the house, and the small files that tools want beside them.
TOP_LEVEL = {"proxy", "auth", "routing", "metrics", "config", "deploy", "tests", "bench",
             "CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE"}


def test_top_level_is_fixed():
    tops = {path.partition("/")[0] for path in tracked_paths()}
    report("top-level", [(top, top, "stands at the top level") for top in sorted(tops - TOP_LEVEL)
                         if not top.startswith(".")],
           "put it into the room that it belongs to, or out of the tree")


def test_files_open_with_what_they_are_for():
    findings = []
    for source in of(CPP, PYTHON, SHELL, CMAKE):
        lines = [line for line in source.lines if not line.startswith("#!")]
        first = lines[0] if lines else ""
        wanted = {CPP: "//", PYTHON: '"""', SHELL: "#", CMAKE: "#"}[source.language]
        if source.path.endswith(".cc"):
            continue  # its header says it
        if not first.startswith(wanted):
            findings.append((source.path, source.path, f"opens with {first[:50]!r}"))
    report("opening-comment", findings,
           "open with a comment (Python: a docstring) that says the file's job, owner and limits")


def test_headers_have_pragma_once():
    report("pragma-once",
           [(s.path, s.path, "no #pragma once") for s in of(CPP)
            if s.path.endswith(".h") and "#pragma once" not in s.code],
           "write #pragma once after the opening comment")


def test_banned_names():
    for rule, (pattern, instead) in BANNED_CPP.items():
        outside = ["tests/"] if rule == "regex" else []  # clarity is enough there
        report(rule, [(s.path, s.at(n), line.strip()[:80]) for s in of(CPP, outside=outside)
                      for n, line in enumerate(s.code.splitlines(), 1)
                      if re.search(pattern, line) and not line.lstrip().startswith("#")], instead)


def test_c_handles_are_freed_by_their_owners_only():
    findings = []
    for source in of(CPP, outside=["tests/"]):
        lines = source.code.splitlines()
        for number, line in enumerate(lines, 1):
            in_deleter = any("operator()" in near for near in lines[max(0, number - 4) : number])
            if FREE.search(line) and not in_deleter:
                findings.append((source.path, source.at(number), line.strip()[:80]))
    report("free", findings, "hold the handle in Owned<T, T_free> (proxy/base/owned.h) or a "
                             "unique_ptr with a deleter")


# Debian's variable; fields of an Ingress and an annotation of ingress-nginx.
NAMES_OF_OTHERS = re.compile(
    r'DEBIAN_FRONTEND|"backend"|\.backend"|\bbackend: \{|\bbackend-protocol')


def _without_names_of_others(line):
    return NAMES_OF_OTHERS.sub("", line).replace("_", " ")


def test_one_word_for_each_peer():
    report("ambiguous-word",
           [(s.path, s.at(n), line.strip()[:80]) for s in of(*CODE, outside=["tests/tidy/"])
            for n, line in enumerate(s.lines, 1)
            if AMBIGUOUS.search(_without_names_of_others(line))],
           "say client or upstream (or gateway, peer): those words mean opposite things to readers")


def test_nothing_is_left_to_do():
    report("unfinished",
           [(s.path, s.at(n), line.strip()[:80]) for s in sources()
            for n, line in enumerate(s.lines, 1) if UNFINISHED.search(line)],
           "finish it, or write an issue and leave no mark in the tree")


def test_no_paths_of_one_machine():
    report("machine-path",
           [(s.path, s.at(n), line.strip()[:80]) for s in sources()
            if not s.path.startswith("tests/tidy/")
            for n, line in enumerate(s.lines, 1) if MACHINE_PATH.search(line)],
           "use a path relative to the repository, mktemp, or a variable")


def test_no_sleep_in_python_tests():
    report("python-sleep",
           [(s.path, s.at(n), line.strip()[:80]) for s in of(PYTHON)
            if s.path.startswith(("tests/integration/", "tests/support/"))
            for n, line in enumerate(s.lines, 1) if re.search(r"\btime\.sleep\s*\(", line)],
           "wait for the event with tests/support/waiting.py")
