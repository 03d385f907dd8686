"""A stream of bytes over TCP or TLS 1.3, in whole frames, with a time limit on everything (SPEC 1.6 and 2.3)."""

import select
import socket
import time

from cryptography.hazmat.primitives import serialization
from OpenSSL import SSL

from crypto import sha256
from frames import FRAME

EXPORTER = b"EXPORTER-Channel-Binding"


class Closed(Exception):
    """The connection is over."""


class TimedOut(Exception):
    """Nothing came in time."""


class Transport:
    """`pins` are the accepted SHA-256 of the certificate's SubjectPublicKeyInfo; without them it is plain TCP."""

    def __init__(self, host, port, pins=None, timeout=10):
        self.timeout, self.received, self.open = timeout, bytearray(), True
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.stream = self.socket
        if pins is not None:
            self._start_tls(pins)

    def _start_tls(self, pins):
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_verify(SSL.VERIFY_NONE)
        self.stream = SSL.Connection(context, self.socket)
        self.stream.set_connect_state()
        self._patiently(self.stream.do_handshake)
        certificate = self.stream.get_peer_certificate().to_cryptography()
        encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        if sha256(certificate.public_key().public_bytes(encoding, form)) not in pins:
            self.close()
            raise Closed("the certificate is not the pinned one")

    def binding(self):
        """cb of 4.2."""
        if self.stream is self.socket:
            return bytes(32)
        return self.stream.export_keying_material(EXPORTER, 32, b"")

    def _patiently(self, action, *arguments):
        """Does an action of the stream, reading meanwhile, so that two full pipes cannot wait for each other."""
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                return action(*arguments)
            except (BlockingIOError, SSL.WantWriteError):
                writable = [self.socket]
            except SSL.WantReadError:
                writable = []
            except (OSError, SSL.Error) as error:
                self.close()
                raise Closed(str(error)) from error
            left = deadline - time.monotonic()
            if left <= 0 or not any(select.select([self.socket], writable, [], left)):
                self.close()
                raise TimedOut("the stream stood still")
            if writable:
                self.fill()

    def send(self, data):
        view = memoryview(data)
        while len(view):
            if not self.open:
                raise Closed("closed before")
            view = view[self._patiently(self.stream.send, bytes(view)) :]

    def fill(self):
        """Takes what has come, without waiting."""
        while self.open:
            try:
                piece = self.stream.recv(65536)
            except (BlockingIOError, SSL.WantReadError, SSL.WantWriteError):
                return
            except (OSError, SSL.Error):
                piece = b""
            if not piece:
                self.close()
            self.received += piece

    def frame(self):
        """A whole frame that has come, or None."""
        if len(self.received) < FRAME:
            self.fill()
        if len(self.received) < FRAME:
            return None
        frame = bytes(self.received[:FRAME])
        del self.received[:FRAME]
        return frame

    def wait_frame(self, timeout=None):
        """The next whole frame; Closed or TimedOut where none comes."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while (frame := self.frame()) is None:
            if not self.open:
                raise Closed("closed by the daemon")
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimedOut("no frame came")
            select.select([self.socket], [], [], left)
        return frame

    def close(self):
        if self.open:
            self.open = False
            self.socket.close()
