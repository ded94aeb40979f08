"""The token renewer of deploy/client, as jupyter_server calls it."""

import logging
import os
import sys

import peers
import pytest

sys.path.insert(0, str(peers.TREE / "deploy/client"))

from kernelgate_token_renewer import FileTokenRenewer  # noqa: E402


class Renewer:
    def __init__(self, file, caplog):
        log = logging.getLogger("renewer")
        self.under_test = FileTokenRenewer(log=log, **({"token_file": str(file)} if file else {}))
        self.caplog = caplog
        caplog.set_level(logging.INFO, "renewer")

    def token(self, current="of-before"):
        return self.under_test.get_token("Authorization", "token", current)

    def errors(self):
        return [record.getMessage() for record in self.caplog.records
                if record.levelname == "ERROR"]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "token"


@pytest.fixture
def renewer(file, caplog):
    return Renewer(file, caplog)


def put(file, text):
    fresh = file.with_suffix(".fresh")
    fresh.write_text(text)
    os.replace(fresh, file)


def test_it_gives_what_the_file_holds_at_each_call(file, renewer):
    put(file, "one\n")
    assert renewer.token() == "one"
    put(file, "  two")
    assert renewer.token() == "two"
    assert renewer.errors() == []


def test_an_unchanged_file_is_not_read_again(file, renewer, monkeypatch):
    put(file, "one")
    assert renewer.token() == "one"
    monkeypatch.setattr("builtins.open", None)
    assert renewer.token() == "one"


@pytest.mark.parametrize("content, said", [
    ("", "is empty"), ("\n \n", "is empty"), ("one two", "more than one token"),
    ("one\ntwo\n", "more than one token"), ("\x00", "more than one token"),
    ("\N{SNOWMAN}", "more than one token"), ("x" * 17_000, "too large")])
def test_what_cannot_be_used_is_said_once_and_the_token_of_before_goes_on(
        file, renewer, content, said):
    put(file, "good")
    assert renewer.token() == "good"
    put(file, content)
    assert [renewer.token() for _ in range(3)] == ["good"] * 3
    error, = renewer.errors()
    assert said in error and str(file) in error and "KERNELGATE_TOKEN_FILE" in error
    put(file, "better")
    assert renewer.token() == "better"


def test_a_file_that_goes_and_comes(file, renewer):
    assert renewer.token() == "of-before"
    assert renewer.token() == "of-before"
    assert len(renewer.errors()) == 1 and "No such file" in renewer.errors()[0]
    put(file, "here")
    assert renewer.token() == "here"
    file.unlink()
    assert renewer.token() == "here"
    assert len(renewer.errors()) == 2


def test_the_environment_names_the_file(file, caplog, monkeypatch):
    put(file, "from-the-environment")
    monkeypatch.setenv("KERNELGATE_TOKEN_FILE", str(file))
    assert Renewer(None, caplog).token() == "from-the-environment"


def test_without_a_file_it_says_what_to_set(caplog, monkeypatch):
    monkeypatch.delenv("KERNELGATE_TOKEN_FILE", raising=False)
    renewer = Renewer(None, caplog)
    assert renewer.token() == "of-before"
    error, = renewer.errors()
    assert "FileTokenRenewer.token_file" in error


def test_no_token_is_in_the_log(file, renewer):
    put(file, "secret-1")
    renewer.token()
    put(file, "secret 2")
    renewer.token()
    assert "secret" not in renewer.caplog.text.replace(str(file), "")
