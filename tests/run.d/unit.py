"""Runs every unit_* program of a build folder, some at a time: unit.py BUILD_TESTS RESULTS JOBS.

Each leaves its GoogleTest XML in RESULTS; one that ends without (a crash, a time-out) gets a line
in checks.tsv.
"""

import concurrent.futures
import pathlib
import subprocess
import sys

TIMEOUT_S = 300


def run(program, results):
    log = results / f"{program.name}.log"
    xml = results / f"{program.name}.xml"
    with open(log, "wb") as out:
        try:
            # From the build folder, as the compiler ran: a ccache with a base_dir makes __FILE__,
            # by which some tests find the tree, relative to it.
            code = subprocess.run([program, f"--gtest_output=xml:{xml}"], cwd=program.parents[1],
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                  timeout=TIMEOUT_S, check=False).returncode
            problem = f"ended with code {code}"
        except subprocess.TimeoutExpired:
            code, problem = None, f"did not end within {TIMEOUT_S} s"
    # 1 is GoogleTest's own code for failed tests, which the XML names. Any other, as a sanitizer's
    # after the XML was written, is a failure that the XML does not know.
    if code in (0, 1) and xml.exists():
        return program.name, code == 0, None
    return program.name, False, f"failed\t{program.name} {problem}\t{log}"


def main():
    folder, results, jobs = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    programs = sorted(p for p in folder.glob("unit_*") if p.is_file() and p.stat().st_mode & 0o100)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool, \
            open(results / "checks.tsv", "a", encoding="utf-8") as checks:
        for name, passed, line in pool.map(lambda p: run(p, results), programs):
            print(f"  {results.name}: {name:<30} {'ok' if passed else 'FAILED'}", flush=True)
            if line:
                print(line, file=checks)
        if not programs:
            print(f"failed\tno unit tests in {folder}\t", file=checks)


main()
