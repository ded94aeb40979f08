"""What the build and the documents name must exist; what exists must be built."""

import re

import pytest
from rules import exceptions, report, unused_exceptions
from source_tree import CPP, ROOT, of, tracked_paths

FILE_NAME = re.compile(r"`([\w./-]+\.(?:h|cc|py|md|cmake|txt|yaml|json|proto))`")
FOLDER_ROW = re.compile(r"^\|\s*(?:\[)?`([\w./-]+)/?`", re.MULTILINE)


def test_every_cc_is_in_a_target():
    findings = []
    for source in of(CPP):
        if not source.path.endswith(".cc"):
            continue
        folder, _, name = source.path.rpartition("/")
        if folder.startswith("tests/unit/"):
            unit = folder.split("/")[2]
            listed = f"kg_unit({unit} " in (ROOT / "tests/CMakeLists.txt").read_text()
            listed = listed and name.endswith("_test.cc")
        else:
            listed = _in_some_target(folder, name)
        if not listed:
            findings.append((source.path, source.path, "is in no CMakeLists.txt"))
    report("file-in-no-target", findings, "add it to its folder's target, or remove it")


def _in_some_target(folder, name):
    relative = name
    while True:
        lists = ROOT / folder / "CMakeLists.txt"
        if lists.exists() and re.search(rf"(?<![\w/.-]){re.escape(relative)}(?![\w.-])",
                                        lists.read_text()):
            return True
        if not folder:
            return False
        folder, _, last = folder.rpartition("/")
        relative = f"{last}/{relative}"


def test_folder_table_of_the_readme():
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.fail("README.md is missing: write it, with the folder table")
    named = FOLDER_ROW.findall(readme.read_text())
    assert named, "README.md has no folder table: rows that begin with | `folder/` |"
    report("folder-table", [("README.md", "README.md", f"{name} does not exist")
                            for name in named if not (ROOT / name.strip("/")).exists()],
           "correct the folder table of README.md")


@pytest.mark.parametrize("document", ["proxy/README.md", "README.md", "tests/README.md"])
def test_documents_name_files_that_exist(document):
    path = ROOT / document
    if not path.exists():
        pytest.fail(f"{document} is missing: write it")
    known = set(tracked_paths())
    names = {known_path.rpartition("/")[2] for known_path in known}
    folder = document.rpartition("/")[0]
    missing = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for name in FILE_NAME.findall(line):
            options = {name, f"{folder}/{name}".lstrip("/"), f"proxy/{name}"}
            if not (options & known or ("/" not in name and name in names)):
                missing.append((document, f"{document}:{number}", f"`{name}` does not exist"))
    report("document-names-file", missing, "keep the page true to the tree")


def test_each_behaviour_of_gateways_is_played_by_a_test_that_exists():
    played = {}
    readme = (ROOT / "tests/README.md").read_text()
    for row, files in re.findall(r"^\| (S\d+) \|.*\|(.*)\|$", readme, re.MULTILINE):
        name, *tests = re.findall(r"`([\w.]+)`", files)
        source = (ROOT / "tests/integration" / name).read_text()
        played[row] = [test for test in tests if f"\ndef {test}(" in source]
        assert played[row] == tests != [], f"{row}: {name} has only {played[row]}"
    assert list(played) == [f"S{number}" for number in range(1, 18)]


def test_zz_exceptions_only_shrink(request):
    """Runs last (conftest.py): by now each rule has used the exceptions it needs."""
    limit, allowed = exceptions()
    assert len(allowed) <= limit, f"{len(allowed)} exceptions, at most {limit}: mend the new one"
    whole_run = {item.path.name for item in request.session.items} >= {
        "includes_test.py", "source_test.py", "documents_test.py"}
    if whole_run:
        assert not unused_exceptions(), (
            f"no longer needed, remove and lower `at most`: {unused_exceptions()}")
        assert len(allowed) == limit, f"lower `at most` to {len(allowed)}"
