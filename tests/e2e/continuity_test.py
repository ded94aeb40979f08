"""A cell goes on printing while the connection between proxy and gateway is cut."""

from printed_lines import numbers, printing

LINES = 150


def test_a_cut_under_a_printing_cell_costs_at_most_one_line(start_proxy, tap):
    proxy = start_proxy(cut=tap.port)
    client = proxy.client("cut")
    kernel = client.create()
    cuts = []

    def cut_once(text):
        if not cuts and numbers("line", text) and numbers("line", text)[-1] >= LINES // 3:
            cuts.append(len(tap.websockets))
            tap.cut_websockets()

    with client.connect(kernel) as channels:
        cell = channels.execute(printing("line", LINES, 0.01), on_output=cut_once)
        # The same socket: it has never closed.
        assert channels.execute("6 * 7").result == "42"
    assert cuts == [2], "one connection, with its two ends"
    assert cell.status == "ok"
    came = numbers("line", cell.stdout)
    assert came == sorted(set(came)), "in order, and none twice"
    assert len(set(range(LINES)) - set(came)) <= 1
    client.delete(kernel)
