"""Sums up what the suites left: results.py RESULTS_FOLDER README.

Ends with the line `N passed, N failed, N skipped`. A skip whose reason begins with `unavailable:`
is a third-party tool that this machine cannot have: listed apart and not counted. The budget of
minutes per suite is the table in tests/README.md.
"""

import os
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

UNAVAILABLE = "unavailable:"
SAID_MAX = 300  # characters of a failure; its log has the rest


class Suite:
    def __init__(self, folder):
        self.name = folder.name
        self.seconds = int((folder / "seconds").read_text()) if (folder / "seconds").exists() else 0
        self.passed = 0
        self.failed = []  # (name, what)
        self.skipped = []
        self.unavailable = []
        for path in sorted(folder.glob("*.xml")):
            self.read_xml(path)
        if (folder / "checks.tsv").exists():
            for line in (folder / "checks.tsv").read_text().splitlines():
                verdict, name, log = line.split("\t")
                if verdict == "passed":
                    self.passed += 1
                else:
                    self.failed.append((name, log))

    def read_xml(self, path):
        try:
            tree = ElementTree.parse(path)
        except ElementTree.ParseError as error:
            self.failed.append((path.name, f"not readable: {error}"))
            return
        for case in tree.iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            problem = next((child for child in case if child.tag in ("failure", "error")), None)
            skip = case.find("skipped")
            if problem is not None:
                said = (problem.get("message") or problem.text or "").split()
                self.failed.append((name, " ".join(said)[:SAID_MAX]))
            elif skip is not None or case.get("result") == "skipped":
                reason = (skip.get("message") if skip is not None else "") or "no reason given"
                kind = self.unavailable if reason.startswith(UNAVAILABLE) else self.skipped
                kind.append((name, reason.removeprefix(UNAVAILABLE).strip()))
            elif case.get("status") != "notrun":
                self.passed += 1


def budgets(readme):
    """{suite: minutes} of the table rows `| name | minutes | ...`."""
    if not os.path.exists(readme):
        return {}
    text = pathlib.Path(readme).read_text(encoding="utf-8")
    rows = re.findall(r"^\| `?([a-z0-9]+)`? \| ([0-9.]+) \|", text, re.MULTILINE)
    return {name: float(minutes) for name, minutes in rows}


def show(title, suites, kind):
    rows = [(suite.name, *row) for suite in suites for row in getattr(suite, kind)]
    if rows:
        print(f"\n{title}")
    for suite, name, what in rows:
        print(f"  [{suite}] {name}: {what}")
    return len(rows)


def show_table(suites, budget):
    print(f"\n  {'suite':<14}{'passed':>8}{'failed':>8}{'skipped':>9}{'minutes':>9}{'budget':>8}")
    for suite in suites:
        minutes, most = suite.seconds / 60, budget.get(suite.name, float("inf"))
        print(f"  {suite.name:<14}{suite.passed:>8}{len(suite.failed):>8}{len(suite.skipped):>9}"
              f"{minutes:>9.1f}{most:>8.0f}{'  over budget' if minutes > most else ''}")
    minutes = sum(suite.seconds for suite in suites) / 60
    print(f"  {'together':<39}{minutes:>9.1f}{sum(budget.get(s.name, 0) for s in suites):>8.0f}")


def main():
    folders = [f for f in pathlib.Path(sys.argv[1]).iterdir() if f.is_dir()]
    suites = [Suite(f) for f in sorted(folders, key=lambda f: f.stat().st_ctime)]
    budget = budgets(sys.argv[2])
    show_table(suites, budget)
    failed = show("Failed:", suites, "failed")
    skipped = show("Skipped:", suites, "skipped")
    show("Unavailable on this machine (third-party tools):", suites, "unavailable")
    ci = os.environ.get("CI") == "true"
    if ci and skipped:
        print("\nSkipped tests fail here, because CI=true.")
    passed = sum(suite.passed for suite in suites)
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    sys.exit(1 if failed or (ci and skipped) else 0)


main()
