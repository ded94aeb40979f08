"""The echo server of the Autobahn test suite, run by its own Python 2.7: PORT HOST_PORT.

`wstest --mode testeeserver` is the same, but refuses a Host that names another port than its own.
"""

import sys

from autobahn.twisted.websocket import listenWS
from autobahntestsuite.testee import TesteeServerFactory
from twisted.internet import reactor

factory = TesteeServerFactory("ws://127.0.0.1:" + sys.argv[1])
factory.externalPort = int(sys.argv[2])
listenWS(factory, interface="127.0.0.1")
reactor.run()
