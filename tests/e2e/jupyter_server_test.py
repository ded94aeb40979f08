"""A stock, unmodified Jupyter server in gateway mode, with the proxy as its gateway."""

import main_job
import peers
import pytest


@pytest.fixture(scope="module")
def start_jupyter(proxy, workshop, tmp_path_factory):
    running = []

    def start():
        running.append(peers.JupyterServer(tmp_path_factory.mktemp("jupyter"), workshop,
                                           f"{proxy.url}/shared", proxy.session_token("shared")))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="module")
def jupyter(start_jupyter):
    return start_jupyter().client


def test_a_whole_kernel_life(jupyter):
    main_job.whole_life(main_job.Steps("by jupyter_server in gateway mode"), jupyter, "alice")


def test_a_megabyte_of_output(jupyter):
    kernel = jupyter.create()
    try:
        with jupyter.connect(kernel) as channels:
            done = channels.execute("for n in range(13_000): print(f'{n:06} ' + '.' * 72)")
        assert done.stdout == "".join(f"{n:06} {'.' * 72}\n" for n in range(13_000))
    finally:
        jupyter.delete(kernel)


def test_a_server_that_ends_deletes_its_kernels(start_jupyter, through_proxy):
    server = start_jupyter()
    kernel = server.client.create()
    assert through_proxy.call("GET", f"/api/kernels/{kernel}").status == 200
    server.stop()
    assert through_proxy.call("GET", f"/api/kernels/{kernel}").status == 404
