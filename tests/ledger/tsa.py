"""A timestamping authority of our own (RFC 3161), by `openssl ts`, without any network."""

import subprocess
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
"""


class TimestampAuthority:
    """Answers requests with a certificate that its own root has signed."""

    def __init__(self, folder, name="tsa.example", usage=x509.ExtendedKeyUsageOID.TIME_STAMPING):
        folder.mkdir()
        self.folder = folder
        self.roots = folder / "root.pem"
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = certificate(f"root of {name}", root_key, f"root of {name}", root_key)
        own = certificate(name, key, f"root of {name}", root_key, usage)
        for path, made in ((self.roots, root), (folder / "tsa.pem", own)):
            path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        (folder / "tsa.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))

    def post(self, url, body):
        """Answer a request as an authority at that address would."""
        (self.folder / "query").write_bytes(body)
        subprocess.run(
            [
                *("openssl", "ts", "-reply", "-config", self.folder / "tsa.cnf"),
                *("-queryfile", self.folder / "query", "-out", self.folder / "reply"),
            ],
            check=True,
            capture_output=True,
        )
        return (self.folder / "reply").read_bytes()


def certificate(name, key, issuer, issuer_key, usage=None):
    """Return a certificate; without a usage one that may sign others."""
    begins = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=usage is None, path_length=None), critical=True)
    )
    if usage is not None:
        made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
    return made.sign(issuer_key, hashes.SHA256())
