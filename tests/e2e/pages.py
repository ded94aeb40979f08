"""What our pages tell to write or type, as it stands there."""

import re

import peers


def block(page, begins):
    """The block of a page that begins so."""
    text = (peers.TREE / page).read_text()
    return re.search(rf"^```\w*\n({re.escape(begins)}.*?)^```", text, re.DOTALL | re.MULTILINE)[1]
