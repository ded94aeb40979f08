"""The Spark kernels of an endpoint through the proxy: a whole life of PySpark and of Spark Scala,
both at once, for each is slow to start: nothing comes from the gateway for 9 s or more."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import websocket

START_SECONDS = 180  # upper bound of a start on a busy machine; alone it takes 9 to 26 s
JOBS = 3


@dataclass
class Language:
    spec: str
    sum_job: str  # a Spark job whose result is 5050
    sum_result: str
    progress: str  # JOBS jobs, a line of output after each
    endless: str  # prints, and then runs jobs until it is interrupted
    define: str
    use: str


PYSPARK = Language(
    spec="pyspark",
    sum_job="sc.parallelize(range(1, 101)).sum()",
    sum_result="5050",
    progress=f"for n in range({JOBS}): print('job', n, spark.range(1000 * n).count(), flush=True)",
    endless="print('busy', flush=True)\nwhile True: spark.range(10).count()",
    define="kept = 41",
    use="kept + 1",
)
SCALA = Language(
    spec="spark_scala",
    sum_job="sc.parallelize(1 to 100).sum",
    sum_result="5050.0",
    progress=f'for (n <- 0 until {JOBS}) println(s"job $n ${{spark.range(1000 * n).count()}}")',
    endless='println("busy"); while (true) { spark.range(10).count() }',
    define="val kept = 41",
    use="kept + 1",
)


@dataclass
class Life:
    """What came back, step by step."""

    silence: float = 0  # seconds before the kernel answers
    cells: dict = field(default_factory=dict)
    pieces: list = field(default_factory=list)


def connect(client, kernel):
    """Channels on which the kernel has answered. A gateway waits 60 s for a kernel, no longer: then
    it opens the WebSocket all the same, and may close it again."""
    until = time.monotonic() + START_SECONDS
    while True:
        channels = client.connect(kernel, timeout=START_SECONDS)
        try:
            request = channels.request("kernel_info_request", {})
            next(m for m in channels.replies_to(request, START_SECONDS)
                 if m["msg_type"] == "kernel_info_reply")
            return channels
        except websocket.WebSocketConnectionClosedException:
            assert time.monotonic() < until, f"{kernel} did not start"


def live(client, language):
    life = Life()
    kernel = client.create(language.spec)
    began = time.monotonic()

    def interrupt_once(text):
        if "busy" in text:
            client.interrupt(kernel)

    with connect(client, kernel) as channels:
        life.silence = time.monotonic() - began

        def run(step, code, **options):
            life.cells[step] = channels.execute(code, timeout=START_SECONDS, **options)

        run("job", language.sum_job)
        run("progress", language.progress,
            on_output=lambda text: life.pieces.append((time.monotonic(), text)))
        run("endless", language.endless, on_output=interrupt_once)
        run("define", language.define)
        run("use", language.use)
        client.restart(kernel)
    with connect(client, kernel) as channels:
        run("use after restart", language.use)
        run("job after restart", language.sum_job)
    client.delete(kernel)
    life.deleted = client.call("GET", f"/api/kernels/{kernel}").status
    return life


@pytest.fixture(scope="module")
def spark_proxy(start_gateway, start_proxy):
    return start_proxy(spark=start_gateway(spark=True).port)


@pytest.fixture(scope="module")
def lives(spark_proxy):
    client = spark_proxy.client("spark")
    with ThreadPoolExecutor() as pool:
        yield {language.spec: pool.submit(live, client, language) for language in (PYSPARK, SCALA)}


def test_the_endpoint_offers_all_three_kernels(spark_proxy):
    specs = spark_proxy.client("spark").specs()["kernelspecs"]
    assert {name: spec["spec"]["language"] for name, spec in specs.items()} == {
        "python3": "python", "pyspark": "python", "spark_scala": "scala"}


@pytest.mark.parametrize("language", [PYSPARK, SCALA], ids=lambda language: language.spec)
def test_a_whole_life_of_a_spark_kernel(lives, language):
    life = lives[language.spec].result()
    cells = life.cells
    print(f"{language.spec}: {life.silence:.1f} s of silence; seconds of the cells:",
          {name: round(cell.seconds, 1) for name, cell in cells.items()})
    assert cells["job"].result == language.sum_result
    lines = "".join(text for _, text in life.pieces).splitlines()
    assert lines == [f"job {n} {1000 * n}" for n in range(JOBS)]
    assert len(life.pieces) >= JOBS, "each line when it was printed, not all at the end"
    assert cells["endless"].status == "error"
    assert cells["define"].status == "ok" and cells["use"].result == "42"
    assert cells["use after restart"].status == "error"
    assert cells["job after restart"].result == language.sum_result
    assert life.deleted == 404
