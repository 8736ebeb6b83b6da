#!/usr/bin/env python3
"""Runs the vectors beside this file with nothing but Python's standard library."""
import base64
import hashlib
import json
import pathlib
import re
import sys
import zlib

HERE = pathlib.Path(__file__).parent
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SHAPE = re.compile(r"(sk|pk|st|vt|ot)_(?:([a-z0-9]{2,16})_)?[0-9A-Za-z]{36}")


def checksum(body):
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = DIGITS[digit] + digits
    return digits


def parse(token):
    match = SHAPE.fullmatch(token)
    if match is None or checksum(token[:-6]) != token[-6:]:
        return None
    digest = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    return {"prefix": match[1], "brand": match[2], "digest": digest}


def judge(key, ask, now_ms):
    if key is None:
        return "unknown"
    if key["revokedAtMs"] is not None:
        return "revoked"
    if key["expiresAtMs"] is not None and key["expiresAtMs"] <= now_ms:
        return "expired"
    if key["type"] not in ask["types"]:
        return "type"
    if ask.get("environment") not in (None, key["environment"]["slug"]):
        return "environment"
    return "accept"


failed = passed = 0
for case in json.loads((HERE / "tokens.json").read_text()):
    ok = parse(case["token"]) == case["expect"]
    passed, failed = passed + ok, failed + (not ok)
    if not ok:
        print("tokens:", case["name"], file=sys.stderr)
for case in json.loads((HERE / "verdicts.json").read_text()):
    ok = judge(case["key"], case["ask"], case["now_ms"]) == case["expect"]
    passed, failed = passed + ok, failed + (not ok)
    if not ok:
        print("verdicts:", case["name"], file=sys.stderr)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
