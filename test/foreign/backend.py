"""Orders: a backend of the contract, written from docs alone, with the standard library alone.

Environment: PORT (0 takes a free one), CORTEX_TECHNICAL_TOKEN, OAUTH_ISSUER, OAUTH_AUDIENCE.
Prints one line, `listening on <port>`, when it is ready.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TECHNICAL_TOKEN = os.environ["CORTEX_TECHNICAL_TOKEN"]
ISSUER = os.environ["OAUTH_ISSUER"]
AUDIENCE = os.environ["OAUTH_AUDIENCE"]
READ, WRITE, ADMIN = "orders:read", "orders:write", "orders:admin"
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


class Refusal(Exception):
    """An answer with a status of its own."""

    def __init__(self, status, message, headers=None, **body):
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body = {"error": message, **body}


# Tokens

keys = {}


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def public_key(kid):
    if kid not in keys:
        with urllib.request.urlopen(ISSUER + "/.well-known/jwks.json", timeout=5) as answer:
            for jwk in json.load(answer)["keys"]:
                if jwk["kty"] == "RSA":
                    keys[jwk["kid"]] = (int.from_bytes(decode(jwk["n"]), "big"), int.from_bytes(decode(jwk["e"]), "big"))
    return keys[kid]


def verify(token):
    """The claims of an RS256 token of our issuer for our audience (RFC 8017 section 8.2.2)."""
    try:
        head, payload, signature = token.split(".")
        header, claims = json.loads(decode(head)), json.loads(decode(payload))
        if header["alg"] != "RS256":
            raise ValueError("algorithm")
        modulus, exponent = public_key(header["kid"])
        size = (modulus.bit_length() + 7) // 8
        opened = pow(int.from_bytes(decode(signature), "big"), exponent, modulus).to_bytes(size, "big")
        digest = SHA256_PREFIX + hashlib.sha256(f"{head}.{payload}".encode()).digest()
        expected = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if not hmac.compare_digest(opened, expected) or len(decode(signature)) != size:
            raise ValueError("signature")
        if claims["iss"] != ISSUER or AUDIENCE not in audience or claims["exp"] < time.time():
            raise ValueError("claims")
        return claims
    except (KeyError, ValueError, TypeError, OSError) as reason:
        raise Refusal(401, "the token was not accepted") from reason


# The application

orders = {
    "1": {"id": "1", "owner": "ada", "item": "tea", "state": "open"},
    "2": {"id": "2", "owner": "bob", "item": "Zürich–東京 ☕", "state": "open"},
}
lock = threading.Lock()


def list_orders(user, params):
    mine = [order for order in orders.values() if order["owner"] == user["sub"]]
    return {"orders": mine[: int(params.get("limit", 50))]}


def create_order(user, params):
    item = params.get("item")
    if not isinstance(item, str) or not item.strip():
        raise Refusal(422, "item is needed", field="item")
    with lock:
        if any(order["item"] == item and order["owner"] == user["sub"] for order in orders.values()):
            raise Refusal(409, "that item is ordered already")
        order = {"id": str(len(orders) + 1), "owner": user["sub"], "item": item, "state": "open"}
        orders[order["id"]] = order
    return order


def cancel_order(user, params):
    order = orders.get(str(params.get("id")))
    if order is None:
        raise Refusal(404, "no such order")
    if order["owner"] != user["sub"]:
        raise Refusal(403, "only the owner may cancel an order")
    order["state"] = "cancelled"
    return order


def export_orders(user, params):
    return {"csv": "id,item\n" + "".join(f"{order['id']},{order['item']}\n" for order in orders.values())}


def close_books(user, params):
    raise Refusal(500, "the books are closed on Sundays")


def print_labels(user, params):
    raise Refusal(429, "the printer is busy", {"Retry-After": "7"})


def explode(user, params):
    raise ZeroDivisionError


ID = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
TOOLS = {
    "list_orders": (list_orders, {"scope": READ, "description": "Lists my orders.", "params": {"limit": "number?"}, "annotations": {"readOnlyHint": True}}),
    "create_order": (create_order, {"scope": [READ, WRITE], "description": "Orders an item.", "params": {"item": "string"}, "version": "1.2.0"}),
    "cancel_order": (cancel_order, {"scope": WRITE, "description": "Cancels an order.", "inputSchema": ID}),
    "export_orders": (export_orders, {"scope": READ, "description": "Everybody's orders; for administrators."}),
    "close_books": (close_books, {"scope": WRITE, "description": "Closes the books."}),
    "print_labels": (print_labels, {"scope": READ, "description": "Prints labels."}),
    "explode": (explode, {"scope": READ, "description": "Has a defect."}),
    "unlisted": (list_orders, {"description": "Names no scope, so nobody is shown it."}),
}
# What the application itself asks for, beyond what its catalog says.
EXTRA_SCOPES = {"export_orders": ADMIN}
LISTS = {
    "list_tools": lambda: {"tools": [{"name": name, **tool} for name, (_, tool) in TOOLS.items()]},
    "list_prompts": lambda: {"prompts": [{"name": "review_order", "description": "Reviews an order.", "arguments": [{"name": "id", "required": True}], "scope": READ}]},
    "list_resource_templates": lambda: {"resourceTemplates": [{"uriTemplate": "orders://{id}", "name": "order", "mimeType": "application/json", "scope": READ}]},
}


def scopes_of(user):
    return str(user.get("scope", "")).split()


def get_help(user, params):
    return {"overview": "Orders of tea.", "topic": params.get("topic"), "concepts": ["order"], "examples": ["create_order {item}"]}


def whoami(user, params):
    return {"user": user["sub"], "role": "admin" if ADMIN in scopes_of(user) else "member"}


def get_prompt(user, params):
    if params.get("name") != "review_order":
        raise Refusal(404, "no such prompt")
    text = f"Review order {params.get('arguments', {}).get('id')}."
    return {"description": "Reviews an order.", "messages": [{"role": "user", "content": {"type": "text", "text": text}}]}


def read_resource(user, params):
    uri = str(params.get("uri"))
    order = orders.get(uri.removeprefix("orders://"))
    if order is None or order["owner"] != user["sub"]:
        raise Refusal(404, "no such order")
    return {"contents": [{"uri": uri, "mimeType": "application/json", "text": json.dumps(order, ensure_ascii=False)}]}


METHODS = {"get_help": get_help, "whoami": whoami, "get_prompt": get_prompt, "read_resource": read_resource}


def dispatch(method, params, token, kind):
    if token == TECHNICAL_TOKEN:
        if method in LISTS:
            return LISTS[method]()
        if method in METHODS or method in TOOLS:
            raise Refusal(403, "this token is for the catalog")
        raise Refusal(404, "unknown method")
    user = verify(token)
    if kind != "tool" and method in METHODS:
        return METHODS[method](user, params)
    if method not in TOOLS:
        raise Refusal(404, "unknown method")
    run, tool = TOOLS[method]
    named = tool.get("scope", [])
    needed = [named] if isinstance(named, str) else list(named)
    for scope in [*needed, *([EXTRA_SCOPES[method]] if method in EXTRA_SCOPES else [])]:
        if scope not in scopes_of(user):
            raise Refusal(403, f"{scope} is needed", required=scope)
    return run(user, params)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            if self.path != "/api/cortex/backend":
                raise Refusal(404, "the contract is at /api/cortex/backend")
            body = json.loads(text)
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            self.answer(200, dispatch(body["method"], body.get("params", {}), token, self.headers.get("X-Cortex-Kind")))
        except Refusal as refusal:
            self.answer(refusal.status, refusal.body, refusal.headers)
        except (json.JSONDecodeError, KeyError):
            self.answer(400, {"error": "not a call"})
        except Exception:
            self.answer(503, {"error": "a defect"})

    def answer(self, status, body, headers=None):
        text = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Handler)
    print(f"listening on {server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)
