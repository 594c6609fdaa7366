"""When certificates end. Python's own library reads that of peers only, and images need not have openssl's command."""

import datetime
import ssl

END = "-----END CERTIFICATE-----"
SEQUENCE, UTC_TIME, GENERALIZED_TIME, VERSION = 0x30, 0x17, 0x18, 0xA0


class CertificateError(Exception):
    """The text is no certificate."""


def certificate_ends(pem):
    """Seconds since 1970 at which each certificate of a PEM text ends."""
    ends = [_end(ssl.PEM_cert_to_DER_cert(f"{part.strip()}\n{END}\n")) for part in pem.split(END) if part.strip()]
    if not ends:
        raise CertificateError("no certificate in it")
    return ends


def _end(der):
    # RFC 5280, 4.1: Certificate > tbsCertificate > [version], serial, algorithm, issuer, validity > notBefore, notAfter.
    try:
        _, certificate, _ = _element(der)
        _, signed, _ = _element(certificate)
        tag, _, rest = _element(signed)
        if tag == VERSION:
            _, _, rest = _element(rest)
        for _ in ("algorithm", "issuer"):
            _, _, rest = _element(rest)
        tag, validity, _ = _element(rest)
        _, _, rest = _element(validity)
        kind, text, _ = _element(rest)
    except IndexError as error:
        raise CertificateError("it ends too early") from error
    if tag != SEQUENCE or kind not in (UTC_TIME, GENERALIZED_TIME):
        raise CertificateError("no validity where one should be")
    written = text.decode("ascii")
    if kind == UTC_TIME:
        # Two digits: from 1950 to 2049 (RFC 5280, 4.1.2.5.1).
        written = ("19" if written >= "50" else "20") + written
    return datetime.datetime.strptime(written, "%Y%m%d%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()


def _element(data):
    """(tag, content, what comes after it) of the first element of DER."""
    tag, length, start = data[0], data[1], 2
    if length & 0x80:
        count = length & 0x7F
        start += count
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        raise CertificateError("it ends too early")
    return tag, data[start : start + length], data[start + length :]
