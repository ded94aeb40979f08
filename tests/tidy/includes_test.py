"""Include floors, their order, and third-party libraries in their named places."""

import re
from pathlib import Path

from rules import report
from source_tree import CPP, ROOT, of

FLOORS = Path(__file__).with_name("floors.txt")

# Library -> (its include, the folders or files where it may stand, what others use instead).
CONTAINED = {
    "libevent": (r"<event2/", ["proxy/event/"], "proxy/event's loop, watchers and streams"),
    # The benchmark's files have a client side of TLS of their own: it must not use the proxy's.
    "OpenSSL": (r"<openssl/", ["proxy/tls/", "auth/", "proxy/base/crypto.cc", "proxy/base/crypto.h",
                               "proxy/base/secret.cc", "proxy/base/secret.h",
                               "routing/feed/seal.cc", "routing/feed/state_digest.cc",
                               "bench/load/target.", "bench/load/connection.",
                               "bench/peers/loop_connection."],
                "proxy/base/crypto.h, proxy/base/secret.h or proxy/tls"),
    "libcurl": (r"<curl/", ["proxy/fetch/"], "proxy/fetch/fetcher.h"),
    "ZeroMQ": (r"<zmq", ["routing/feed/socket.cc", "routing/feed/keys.cc"],
               "routing/feed/socket.h and keys.h"),
    "llhttp": (r"<llhttp", ["proxy/http/"], "proxy/http's readers"),
    "prometheus-cpp": (r"<prometheus/", ["metrics/", "routing/controller/run/"],
                       "the table of metrics/worker_metrics.h; run/exporter.h"),
    "yaml-cpp": (r"<yaml-cpp/", ["config/", "routing/controller/check/"],
                 "config/loader.h; manifests of Kubernetes: routing/controller/check"),
    "spdlog": (r"<spdlog/", ["proxy/base/log.cc"], "proxy/base/log.h"),
    "CLI11": (r"<CLI/", ["proxy/server/", "routing/controller/main.cc", "bench/"],
              "values that main hands over"),
    "nlohmann-json": (r"<nlohmann/",
                      ["auth/", "proxy/kernel/", "proxy/server/", "routing/announced",
                       "routing/revocation_notice.cc",
                       "routing/controller/", "bench/", "config/"],
                      "proxy/base/ascii.h's json_quote to write; reading stays in those folders"),
}
ONE_FILE = {"llhttp"}


def floors():
    table = {}
    for number, line in enumerate(FLOORS.read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            folder, colon, allowed = line.partition(":")
            assert colon, f"floors.txt:{number}: write FOLDER: FOLDERS IT MAY INCLUDE"
            table[folder.strip()] = allowed.split()
    return table


def floor_of(path, table):
    """The floors.txt folder that holds a path: the longest that fits."""
    fitting = [folder for folder in table if path.startswith(folder + "/")]
    return max(fitting, key=len, default=None)


def test_every_folder_with_cpp_has_a_floor():
    table = floors()
    report("folder-without-floor",
           [(s.path, s.path, "its folder is not in tests/tidy/floors.txt")
            for s in of(CPP, outside=["tests/"]) if floor_of(s.path, table) is None],
           "add a line to tests/tidy/floors.txt that says what the folder may include")


def test_includes_go_down_the_floors():
    table, findings = floors(), []
    for source in of(CPP, outside=["tests/"]):
        own = floor_of(source.path, table)
        for line, include in source.includes:
            target = floor_of(include.strip('"<>'), table)
            if own and target and target != own and target not in table[own]:
                findings.append((source.path, source.at(line), f"{own} includes {target}"))
    report("floor", findings,
           "move the code to the higher folder, or pass a value or an interface down instead of "
           "including up; floors.txt changes only with the architecture page")


def test_our_includes_are_quoted_and_from_the_root():
    findings = []
    for source in of(CPP):
        for line, include in source.includes:
            name = include.strip('"<>')
            known = (ROOT / name).exists() or (ROOT / f"{name}.in").exists()  # or generated
            if source.path.startswith("tests/"):
                known = known or (ROOT / source.folder / name).exists()
            if include.startswith('"') and not known:
                findings.append((source.path, source.at(line), f"{include} is no such path"))
            if include.startswith("<") and (ROOT / name).exists():
                findings.append((source.path, source.at(line), f"{include} is ours"))
    report("include-form", findings,
           'write "folder/file.h" from the root for our headers, <...> for all others')


def test_floors_have_no_cycles():
    table = floors()
    state = {}

    def visit(folder, trail):
        assert folder in table, f"floors.txt names {folder}, which has no line of its own"
        assert state.get(folder) != "open", "cycle in floors.txt: " + " -> ".join([*trail, folder])
        if folder not in state:
            state[folder] = "open"
            for below in table[folder]:
                visit(below, [*trail, folder])
            state[folder] = "done"

    for folder in table:
        visit(folder, [])


def test_cmake_adds_folders_in_floor_order():
    text = (ROOT / "CMakeLists.txt").read_text()
    order = re.search(r"foreach\(folder\s+(.*?)\)", text, re.DOTALL)[1].split()
    table = floors()
    findings = [("CMakeLists.txt", "CMakeLists.txt", f"{folder} comes before {below}")
                for folder in order for below in table.get(folder, [])
                if below in order and order.index(below) > order.index(folder)]
    report("cmake-order", findings, "list folders so that each follows all that it may include")


def test_third_party_headers_stay_in_their_places():
    findings = []
    for library, (pattern, places, instead) in CONTAINED.items():
        for source in of(CPP, outside=["tests/"]):
            for line, include in source.includes:
                if re.match(pattern, include) and not source.path.startswith(tuple(places)):
                    findings.append((source.path, source.at(line),
                                     f"{library} outside {', '.join(places)}; use {instead}"))
    report("containment", findings, "use our own interface to that library")


def test_some_libraries_stay_in_one_file():
    findings = []
    for library in ONE_FILE:
        users = sorted({s.path for s in of(CPP, outside=["tests/"]) for _, include in s.includes
                        if re.match(CONTAINED[library][0], include)})
        findings += [(path, path, f"{library} is included by {len(users)} files")
                     for path in users[1:]]
    report("one-file", findings, "keep the library behind one file's functions")
