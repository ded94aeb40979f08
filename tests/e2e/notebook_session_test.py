"""A notebook's session on a real kernel, through the proxy."""

import json
import uuid

import v1_framing
import websocket

CELLS, LINES = 100, 128  # lines of 80 bytes: 1.02 MB in total
MIB = 1024 * 1024


def numbered(cell):
    return "".join(f"{cell:03} {line:03} {'.' * 71}\n" for line in range(LINES))


def test_hundred_cells_with_a_megabyte_arrive_whole_and_in_order(through_proxy, kernel):
    code = "for line in range({}):\n    print(f'{:03} {{line:03}} ' + '.' * 71)"
    with through_proxy.connect(kernel) as channels:
        for cell in range(CELLS):
            done = channels.execute(code.format(LINES, cell))
            assert done.status == "ok"
            assert done.stdout == numbered(cell)


def test_a_megabyte_from_one_cell_arrives_whole_and_in_order(through_proxy, kernel):
    with through_proxy.connect(kernel) as channels:
        done = channels.execute("for n in range(13_000): print(f'{n:06} ' + '.' * 72)")
    assert done.stdout == "".join(f"{n:06} {'.' * 72}\n" for n in range(13_000))


def test_an_interrupt_stops_a_busy_cell(through_proxy, kernel):
    busy = "import time\nprint('busy', flush=True)\nwhile True: time.sleep(0.01)"
    with through_proxy.connect(kernel) as channels:
        # Only after the first output: a kernel can miss a SIGINT sent right after `busy`.
        done = channels.execute(busy, on_output=lambda _: through_proxy.interrupt(kernel))
        assert (done.status, done.error) == ("error", "KeyboardInterrupt")
        assert channels.execute("1 + 1").result == "2"


def test_a_restart_keeps_the_session_usable(through_proxy, kernel):
    with through_proxy.connect(kernel) as channels:
        assert channels.execute("x = 1").status == "ok"
    through_proxy.restart(kernel)
    with through_proxy.connect(kernel) as channels:
        assert channels.execute("x").error == "NameError"
        assert channels.execute("1 + 1").result == "2"


def test_the_open_socket_survives_a_restart(through_proxy, kernel):
    with through_proxy.connect(kernel) as channels:
        assert channels.execute("x = 1").status == "ok"
        through_proxy.restart(kernel)
        assert channels.execute("x").error == "NameError"


def test_ten_mebibytes_pass_from_the_kernel(through_proxy, kernel):
    with through_proxy.connect(kernel) as channels:
        done = channels.execute(f"'x' * {10 * MIB}")
    assert done.result == "'" + "x" * (10 * MIB) + "'"


def test_ten_mebibytes_pass_to_the_kernel(through_proxy, kernel):
    """Exactly as much as a gateway takes in one message."""
    with through_proxy.connect(kernel) as channels:
        send = channels.socket.send
        sizes = []
        channels.socket.send = lambda text: sizes.append(len(text)) or send(text)
        channels.execute("len(''' ''')")
        padding = 10 * MIB - sizes[-1] + 1
        done = channels.execute("len('''" + " " * padding + "''')")
    assert sizes[-1] == 10 * MIB
    assert done.result == str(padding)


def test_buffers_pass_to_and_from_clients_of_v1(through_proxy, kernel):
    echo = """
def opened(comm, _):
    def answer(message):
        backwards = [bytes(buffer)[::-1] for buffer in message['buffers']]
        comm.send({'n': len(backwards)}, buffers=backwards)
    comm.on_msg(answer)
get_ipython().kernel.comm_manager.register_target('echo', opened)
"""
    with through_proxy.connect(kernel) as channels:
        assert channels.execute(echo).status == "ok"
    comm = uuid.uuid4().hex
    buffers = [bytes(range(256)) * 4096, b"\x00\xff", b""]
    with through_proxy.connect(kernel, [v1_framing.SUBPROTOCOL]) as channels:
        assert channels.socket.getsubprotocol() == v1_framing.SUBPROTOCOL

        def send(kind, content, parts=()):
            header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "",
                      "session": channels.session, "date": "2026-01-01T00:00:00Z", "version": "5.3"}
            message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
            channels.socket.send_binary(v1_framing.pack("shell", message, parts))

        send("comm_open", {"comm_id": comm, "target_name": "echo", "data": {}})
        send("comm_msg", {"comm_id": comm, "data": {}}, buffers)
        channels.socket.settimeout(30)
        while True:
            opcode, data = channels.socket.recv_data()
            assert opcode == websocket.ABNF.OPCODE_BINARY
            channel, message, parts = v1_framing.unpack(data)
            if message["header"]["msg_type"] == "comm_msg":
                break
    assert channel == "iopub"
    assert message["content"]["data"] == {"n": 3}
    assert [bytes(part) for part in parts] == [part[::-1] for part in buffers]


def test_a_client_that_offers_no_subprotocol_gets_text(through_proxy, kernel):
    with through_proxy.connect(kernel) as channels:
        assert channels.socket.getsubprotocol() is None
        channels.request("kernel_info_request", {})
        opcode, data = channels.socket.recv_data()
    assert opcode == websocket.ABNF.OPCODE_TEXT
    assert "channel" in json.loads(data)


def test_the_kernel_is_gone_after_delete(through_proxy, kernel):
    through_proxy.delete(kernel)
    assert through_proxy.call("GET", f"/api/kernels/{kernel}").status == 404
