"""Proxies in front of replicas that share their kernels, and what must always be true of them."""

import time
from concurrent.futures import ThreadPoolExecutor

import peers
from kernel_client import KernelError
from support.waiting import wait_until

ENDPOINT = "shared"
KERNEL_ID_KEYS = "0 current " + "ab" * 32 + "\n"
HANDS = 8  # kernels that are worked on at a time
RECOVERY_SECONDS = 30  # within which kernels of a lost gateway work again
PASSING = {502, 503, 504}  # a Jupyter server asks again


class Fleet:
    """`kernels` maps the id of each live kernel to a number that it holds in its variable `mine`;
    `deleted` holds the ids of those that were deleted."""

    def __init__(self, folder, workshop, replicas, proxies, gateway_keys):
        self.replicas = replicas
        self.kernels = {}
        self.deleted = set()
        keys_file = folder / "kernel-id-keys"
        keys_file.write_text(KERNEL_ID_KEYS)
        keys_file.chmod(0o600)
        self.proxies = []
        try:
            for number in range(proxies):
                own = folder / f"proxy-{number}"
                own.mkdir()
                self.proxies.append(peers.Kernelgate(
                    own, workshop, {ENDPOINT: 0}, {"pods": replicas.pods(), **gateway_keys},
                    config={"kernel_ids": {"keys_file": str(keys_file)}}))
        except BaseException:
            self.close()
            raise
        token = self.proxies[0].session_token(ENDPOINT)
        self.clients = [proxy.client(ENDPOINT, token) for proxy in self.proxies]

    def close(self):
        for proxy in self.proxies:
            proxy.stop()

    # ---- work ----

    def create(self, count):
        """That many kernels at once, in turn through each proxy."""
        def one(number):
            kernel = self.clients[number % len(self.clients)].create()
            self.kernels[kernel] = number
            self.remember(self.clients[(number + 1) % len(self.clients)], kernel)
        each(one, range(count))

    def remember(self, client, kernel):
        with client.connect(kernel) as channels:
            cell = channels.execute(f"mine = {self.kernels[kernel]}")
            assert cell.status == "ok", f"{kernel}: {cell}"

    def delete(self, client, kernel):
        client.delete(kernel)
        del self.kernels[kernel]
        self.deleted.add(kernel)

    def every_verb(self, kernel):
        """On one kernel through every proxy, with its variable before and after."""
        for client in self.clients:
            assert client.expect(200, "GET", f"/api/kernels/{kernel}").json()["id"] == kernel
            client.interrupt(kernel)
            with client.connect(kernel) as channels:
                mine = channels.execute("mine").result
                assert mine == str(self.kernels[kernel]), f"{kernel} at {client.url}: {mine}"
        for client in self.clients:
            client.restart(kernel)
            with client.connect(kernel) as channels:
                assert channels.execute("mine").error == "NameError"
            self.remember(client, kernel)

    def every_verb_on(self, kernels):
        each(self.every_verb, kernels)

    # ---- what must be true ----

    def holders(self):
        """{kernel: index of the gateway whose memory has it}. Only until the first one is re-homed:
        where it was before, a copy stays."""
        found = {}
        for index, replica in enumerate(self.replicas):
            for model in replica.client.expect(200, "GET", "/api/kernels").json():
                assert model["id"] not in found, f"{model['id']} is at two gateways"
                found[model["id"]] = index
        return found

    def check_lists(self, sure=True):
        """Every proxy lists exactly the live kernels. Not `sure`: it may say that it cannot."""
        for client in self.clients:
            reply = client.call("GET", "/api/kernels", timeout=RECOVERY_SECONDS)
            if not sure and reply.status in PASSING:
                continue
            assert reply.status == 200, f"{client.url}: {reply.status} {reply.body}"
            listed = sorted(model["id"] for model in reply.json())
            assert listed == sorted(self.kernels), (
                f"{client.url} lists {len(listed)} of {len(self.kernels)} kernels; too many: "
                f"{set(listed) - set(self.kernels)}, missing: {set(self.kernels) - set(listed)}")

    def wait_lists(self, seconds=RECOVERY_SECONDS):
        """Until every proxy is sure of its list; a wrong one fails at once."""
        def sure():
            self.check_lists(sure=False)
            return all(client.call("GET", "/api/kernels").status == 200 for client in self.clients)
        wait_until(sure, "every proxy to list the kernels again", seconds)

    def wait_deleted_unlisted(self):
        """Until none that was deleted is listed. Workers that do not know of it share a list for a
        second."""
        seen = [time.monotonic()]

        def unlisted():
            for client in self.clients:
                listed = client.expect(200, "GET", "/api/kernels").json()
                if self.deleted & {model["id"] for model in listed}:
                    seen[0] = time.monotonic()
            return time.monotonic() - seen[0] > 1
        wait_until(unlisted, "deleted kernels to leave the lists", 5)

    def wait_works(self, kernels, seconds=RECOVERY_SECONDS):
        """Until these kernels answer through every proxy; lists are never wrong meanwhile, and
        nobody hears that a kernel does not exist."""
        waiting = [(client, kernel) for kernel in kernels for client in self.clients]

        def works(pair):
            client, kernel = pair
            try:
                reply = client.call("GET", f"/api/kernels/{kernel}")
            except KernelError as error:
                raise AssertionError(f"a proxy does not answer: {error}") from error
            assert reply.status == 200 or reply.status in PASSING, \
                f"{kernel} at {client.url}: {reply.status} {reply.body}"
            return reply.status == 200

        def all_work():
            self.check_lists(sure=False)
            done = each(works, waiting)
            waiting[:] = [pair for pair, ok in zip(waiting, done) if not ok]
            return not waiting

        wait_until(all_work, lambda: f"{len(waiting)} kernels to be back: {waiting[:5]}", seconds)

    def marks(self):
        """How many requests each gateway has answered."""
        return [len(replica.requests()) for replica in self.replicas]

    def asked_since(self, marks):
        """{kernel: indexes of the gateways that were asked about it since}"""
        asked = {}
        for index, (replica, mark) in enumerate(zip(self.replicas, marks)):
            for _, path, _ in replica.requests()[mark:]:
                parts = path.split("/")
                if parts[1:3] == ["api", "kernels"] and len(parts) > 3:
                    asked.setdefault(parts[3], set()).add(index)
        return asked

    def check_no_harm(self):
        """No gateway has called a live kernel unknown, and no record went but by a DELETE."""
        for replica in self.replicas:
            wrong = [event for event in replica.requests()
                     if event[2] in (404, 500) and not set(event[1].split("/")) & self.deleted]
            assert not wrong, f"misrouted to {replica.name}: {wrong}"
            assert set(replica.deleted_records()) <= self.deleted, replica.name
        assert self.replicas.records() == set(self.kernels)


def each(work, things):
    """[work(thing)] of all things, HANDS at a time; the first failure is raised."""
    with ThreadPoolExecutor(HANDS) as hands:
        return list(hands.map(work, things))
