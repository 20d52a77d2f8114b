"""Makes keys and tokens with PyJWT, and forged tokens by hand. Prints them as JSON."""

import base64
import hashlib
import hmac
import json
import sys
import time

import jwt
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, OKPAlgorithm, RSAAlgorithm

SECRET = "a-secret-of-64-bytes-for-hs512-or-less-0123456789-0123456789-012"
ALGORITHMS = {
    "HS256": "oct", "HS384": "oct", "HS512": "oct",
    "RS256": "rsa", "RS384": "rsa", "RS512": "rsa",
    "PS256": "rsa", "PS384": "rsa", "PS512": "rsa",
    "ES256": "p256", "ES384": "p384", "EdDSA": "ed",
}
JWK = {
    "oct": HMACAlgorithm, "rsa": RSAAlgorithm, "p256": ECAlgorithm, "p384": ECAlgorithm,
    "ed": OKPAlgorithm,
}


def make_keys():
    return {
        "oct": SECRET,
        "rsa": rsa.generate_private_key(65537, 2048),
        "p256": ec.generate_private_key(ec.SECP256R1()),
        "p384": ec.generate_private_key(ec.SECP384R1()),
        "ed": ed25519.Ed25519PrivateKey.generate(),
    }


def pem(key):
    public = key.public_key()
    return public.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo).decode()


def public_jwk(name, key):
    public = key if isinstance(key, str) else key.public_key()
    return {**json.loads(JWK[name].to_jwk(public)), "kid": name, "use": "sig"}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(header, claims, secret=None):
    """A token that no library would make."""
    parts = [base64url(json.dumps(part).encode()) for part in (header, claims)]
    text = ".".join(parts)
    made = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest() if secret else b""
    return f"{text}.{base64url(made)}"


keys, others = make_keys(), make_keys()
NOW = int(time.time())
GOOD = {"sub": "anna", "iss": "https://issuer.example", "aud": "chat", "exp": NOW + 3600}


def sign(key="rsa", algorithm="RS256", headers=None, keys=keys, **changes):
    claims = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return jwt.encode(claims, keys[key], algorithm, headers=headers)


def raw(payload):
    """A right signature of a text that need not be right claims."""
    return jwt.PyJWS().encode(payload.encode(), keys["rsa"], "RS256")


good = sign()
head, body, signature = good.split(".")
other_body = base64url(json.dumps({**GOOD, "sub": "root"}).encode())
attacker = {"jwk": public_jwk("rsa", others["rsa"])}
url = sys.argv[1]
print(json.dumps({
    "secret": SECRET,
    "pems": {name: pem(key) for name, key in keys.items() if name != "oct"},
    "set": {"keys": [public_jwk(name, key) for name, key in keys.items()]},
    "algorithms": ALGORITHMS,
    "claims": GOOD,
    "signed": {a: sign(key, a, {"kid": key}) for a, key in ALGORITHMS.items()},
    "unnamed": {a: sign(key, a) for a, key in ALGORITHMS.items()},
    "leeway": [sign(exp=NOW - 10), sign(nbf=NOW + 10)],
    "short": [sign(exp=NOW + seconds) for seconds in (1, 2, 4, 8, 16)],
    "lists": sign(aud=["mail", "chat"]),
    "long": sign(more="x" * 3000),
    "endless": sign(exp=None),
    "typed": {t: sign(headers={"typ": t}) for t in ("at+jwt", "AT+JWT", "application/at+jwt")},
    "otherwise typed": {
        "JWT": sign(),
        "id": sign(headers={"typ": "id+jwt"}),
        "more": sign(headers={"typ": "text/at+jwt"}),
        "none": sign(headers={"typ": None}),
    },
    "wrong": {
        "none": jwt.encode(GOOD, None, "none"),
        "None": by_hand({"alg": "None"}, GOOD),
        "nOnE": by_hand({"alg": "nOnE", "typ": "JWT"}, GOOD),
        "no alg": by_hand({"typ": "JWT"}, GOOD),
        "unknown alg": by_hand({"alg": "HS1"}, GOOD, SECRET),
        "secret is public key": by_hand({"alg": "HS256"}, GOOD, pem(keys["rsa"])),
        "secret is public key, no newline": by_hand({"alg": "HS256"}, GOOD, pem(keys["rsa"]).strip()),
        "HS of another": sign("oct", "HS256"),
        "ES": sign("p256", "ES256"),
        "other key": sign(keys=others),
        "other key sent along": sign(keys=others, headers=attacker),
        "other key at jku": sign(keys=others, headers={"jku": url, "kid": "rsa"}),
        "other key at x5u": sign(keys=others, headers={"x5u": url}),
        "kid is a path": by_hand({"alg": "HS256", "kid": "../../../../dev/null"}, GOOD, "\0"),
        "kid is SQL": by_hand({"alg": "HS256", "kid": "x' UNION SELECT 'k'--"}, GOOD, "k"),
        "kid is no text": by_hand({"alg": "RS256", "kid": 7}, GOOD),
        "crit": sign(headers={"crit": ["exp"]}),
        "crit with b64": sign(headers={"crit": ["b64"], "b64": False}),
        "expired": sign(exp=NOW - 3600),
        "expired within nearly the leeway": sign(exp=NOW - 120),
        "exp is text": raw(json.dumps({**GOOD, "exp": "never"})),
        "exp comes twice": raw(json.dumps({**GOOD, "exp": NOW - 3600})[:-1] + f', "exp": {NOW + 3600}}}'),
        "issuer is a number": raw(json.dumps({**GOOD, "iss": 7})),
        "audience is an object": raw(json.dumps({**GOOD, "aud": {"chat": True}})),
        "claims are a list": raw("[1]"),
        "claims are no JSON": raw("hello"),
        "no exp": sign(exp=None),
        "not yet": sign(nbf=NOW + 3600),
        "other issuer": sign(iss="https://issuer.example.evil"),
        "no issuer": sign(iss=None),
        "other audience": sign(aud="mail"),
        "audiences of others": sign(aud=["mail", "chat2"]),
        "no audience": sign(aud=None),
        "cut signature": f"{head}.{body}.{signature[:-4]}",
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.{signature}",
        "other claims": f"{head}.{other_body}.{signature}",
        "padded": good + "==",
        "empty": "..",
        "no token": "hunter2",
        "huge": sign(more="x" * 9000),
    },
}))
