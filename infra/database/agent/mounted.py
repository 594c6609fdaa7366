"""Notices that kubelet has put other settings, certificates or passwords in place."""

import hashlib
import os

from settings import CA, CREDENTIALS, PATRONI_CONFIG, ROBOT_TLS, SERVER_TLS


class Mounted:
    def __init__(self):
        self._digest = _digest()

    def changed(self):
        """Whether anything has changed since the last question."""
        before, self._digest = self._digest, _digest()
        return before != self._digest


def _digest():
    digest = hashlib.sha256()
    for folder in (os.path.dirname(CA), os.path.dirname(PATRONI_CONFIG), SERVER_TLS, ROBOT_TLS, CREDENTIALS):
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    digest.update(file.read())
    return digest.hexdigest()
