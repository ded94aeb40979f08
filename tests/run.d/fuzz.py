"""Runs every fuzz_* program over its corpus: fuzz.py BUILD CORPUS RESULTS WORK JOBS [SECONDS].

Without SECONDS each makes a fixed number of runs from a fixed seed. With SECONDS each runs for that
long, and what it learns stays in WORK for the next time. Each leaves a log in RESULTS, a line in
checks.tsv, and what it found as a file of its own beside the log: put that into the corpus with the
repair. A line on the terminal says how much was done.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys

RUNS = 20_000
BYTES_MAX = 4096
INPUT_TIMEOUT_S = 10  # one input; those of today take microseconds
START_S = 120  # beyond the wanted seconds: reading the corpus on a busy machine


def command(program, corpus, results, work, seconds):
    learned = work / program.name
    if not seconds:  # every short run is the same one
        learned = results / f"{program.name}.learned"
    learned.mkdir(parents=True, exist_ok=True)
    length = [f"-max_total_time={seconds}"] if seconds else [f"-runs={RUNS}", "-seed=1"]
    # Entropic scheduling keeps books that cost more than the runs: half of all time, or more.
    return [str(program), *length, "-entropic=0", f"-max_len={BYTES_MAX}",
            f"-timeout={INPUT_TIMEOUT_S}", "-rss_limit_mb=1024", "-print_final_stats=1",
            f"-artifact_prefix={results / program.name}-", str(learned), str(corpus)]


def run(program, corpora, results, work, seconds):
    corpus, log = corpora / program.name.removeprefix("fuzz_"), results / f"{program.name}.log"
    if not any(corpus.glob("*")):
        return f"failed\t{program.name}: no corpus {corpus}\t", f"{program.name}: no corpus"
    with open(log, "wb") as out:
        try:
            code = subprocess.run(command(program, corpus, results, work, seconds),
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                  timeout=max(seconds, 180) + START_S, check=False).returncode
        except subprocess.TimeoutExpired:
            code = "none in time"
    said = log.read_text(errors="replace")
    done = re.findall(r"stat::number_of_executed_units: (\d+)", said)
    taken = re.findall(r"Done \d+ runs in (\d+) second", said)
    verdict = "passed" if code == 0 else "failed"
    name = program.name if code == 0 else f"{program.name} ended with code {code}"
    return (f"{verdict}\t{name}\t{log}",
            f"{program.name:<26} {verdict:<7} {(done or ['?'])[-1]:>10} inputs"
            f" {(taken or ['?'])[-1]:>6} s")


def main():
    folder, corpora, results, work = map(pathlib.Path, sys.argv[1:5])
    jobs, seconds = int(sys.argv[5]), int(sys.argv[6]) if len(sys.argv) > 6 else 0
    programs = sorted(p for p in folder.glob("fuzz_*") if p.is_file() and p.stat().st_mode & 0o100)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool, \
            open(results / "checks.tsv", "a", encoding="utf-8") as checks:
        for line, said in pool.map(lambda p: run(p, corpora, results, work, seconds), programs):
            print(f"  fuzz: {said}", flush=True)
            print(line, file=checks, flush=True)
        if not programs:
            print(f"failed\tno fuzz targets in {folder}\t", file=checks)


main()
