"""The Prometheus text format, parsed strictly enough to catch a broken exporter."""

import re

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: \d+)?")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\.)*)",?')


class Metrics:
    def __init__(self, text):
        self.text = text
        self.samples = {}  # (name, frozenset of (label, value)) -> float
        self.types = {}  # family -> counter, gauge, histogram
        self.help = {}
        for line in text.splitlines():
            self._take(line)

    def _take(self, line):
        if line.startswith("# TYPE "):
            family, kind = line[7:].split(" ")
            assert family not in self.types, f"{family} is declared twice"
            self.types[family] = kind
        elif line.startswith("# HELP "):
            family, _, text = line[7:].partition(" ")
            self.help[family] = text
        elif line and not line.startswith("#"):
            match = _SAMPLE.fullmatch(line)
            assert match, f"not a sample: {line!r}"
            labels = frozenset(_LABEL.findall(match[2] or ""))
            key = (match[1], labels)
            assert key not in self.samples, f"sample twice: {line}"
            self.samples[key] = float(match[3])

    def value(self, name, /, **labels):
        """The sum of all samples of that name with these labels; 0 if there is none."""
        wanted = set(labels.items())
        return sum(v for (n, have), v in self.samples.items() if n == name and wanted <= have)

    def names(self):
        return {name for name, _ in self.samples}

    def label_values(self, label):
        return {value for _, labels in self.samples for key, value in labels if key == label}
