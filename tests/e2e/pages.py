"""What our pages tell to type, run as it stands there."""

import os
import re

import peers


def block(page, begins):
    """The block of a page that begins so."""
    text = (peers.TREE / page).read_text()
    return re.search(rf"^```\w*\n({re.escape(begins)}.*?)^```", text, re.DOTALL | re.MULTILINE)[1]


def command(shell, folder, **programs):
    """Runs it in that new folder, with these programs of one line each before all others."""
    (folder / "programs").mkdir(parents=True)
    for name, line in programs.items():
        program = folder / "programs" / name.replace("_", "-")
        program.write_text(f"#!/bin/sh\nexec {line}\n")
        program.chmod(0o755)
    return ["env", f"--chdir={folder}", f"PATH={folder}/programs:{os.environ['PATH']}",
            "bash", "-euo", "pipefail", "-c", shell]
