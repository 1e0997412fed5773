"""A backend of Cortex Gateway: tasks, each with one owner. Put your own data and tools in the place of these."""

import hmac
import json
import os
import re
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

TECHNICAL_TOKEN = os.environ.get("CORTEX_TECHNICAL_TOKEN") or sys.exit(
    "Set CORTEX_TECHNICAL_TOKEN to the secret shared with the gateway."
)
AUDIENCE = os.environ.get("OAUTH_AUDIENCE", "http://127.0.0.1:3213/mcp")
# Whose tokens count: your issuer's; and, with `identity: assert`, the gateway's own, made for this backend alone.
TRUSTED = {
    os.environ.get("OAUTH_ISSUER"): (AUDIENCE, os.environ.get("OAUTH_JWKS_URL")),
    os.environ.get("CORTEX_ASSERTION_ISSUER"): (os.environ.get("CORTEX_ASSERTION_AUDIENCE"), None),
}
TRUSTED.pop(None, None)
# Without an issuer of your own: development, on this machine alone, with any issuer on this machine.
IS_DEVELOPMENT = not TRUSTED
MAX_BODY = 1024 * 1024
key_sets, lock = {}, threading.Lock()


class Refusal(Exception):
    """Answered with another status than 200. Write `error` for an agent: it reads the text and acts on it."""

    def __init__(self, status, message, **more):
        super().__init__(message)
        self.status, self.more = status, more


def authenticate(token):
    """Whom a token speaks for. Signature, issuer, audience and times are checked here, whatever the gateway did."""
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss", "")
        is_local = IS_DEVELOPMENT and re.fullmatch(r"http://127\.0\.0\.1:\d+", issuer)
        audience, jwks = TRUSTED.get(issuer) or ((AUDIENCE, None) if is_local else (None, None))
        if audience is None:
            return None
        with lock:
            if issuer not in key_sets and len(key_sets) < 100:
                url = jwks or issuer.rstrip("/") + "/.well-known/jwks.json"
                key_sets[issuer] = jwt.PyJWKClient(url, timeout=5)
        key = key_sets[issuer].get_signing_key_from_jwt(token)
        claims = jwt.decode(
            token,
            key.key,
            algorithms=["RS256", "PS256", "ES256", "EdDSA"],
            issuer=issuer,
            audience=audience,
            options={"require": ["sub", "exp"]},
        )
    except (jwt.PyJWTError, ValueError, KeyError, TypeError, AttributeError):
        return None
    # An assertion says in `sub_id` whose `sub` it is (RFC 9493): two issuers may have the same subject.
    who = claims.get("sub_id") or claims
    return {
        "key": (who["iss"], who["sub"]),
        "name": claims.get("email", claims["sub"]),
        "scopes": str(claims.get("scope", "")).split(" "),
    }


tasks = {}


def shown(task):
    return {name: task[name] for name in ("id", "title", "isDone")}


def list_tasks(user, all=False, **_):
    own = [task for task in list(tasks.values()) if task["owner"] == user["key"]]
    return {"tasks": [shown(task) for task in own if all or not task["isDone"]]}


def add_task(user, title=None, **_):
    if not isinstance(title, str) or not 1 <= len(title) <= 500:
        raise Refusal(422, "A task has a title of 1 to 500 characters.")
    task = {"id": uuid.uuid4().hex[:8], "owner": user["key"], "title": title, "isDone": False}
    tasks[task["id"]] = task
    return shown(task)


def complete_task(user, id=None, **_):
    task = tasks.get(id) if isinstance(id, str) else None
    if task is None:
        raise Refusal(404, "There is no such task; list_tasks shows yours.")
    # The gateway says who asks; who may do what is decided here.
    if task["owner"] != user["key"]:
        raise Refusal(403, "This task belongs to somebody else.")
    task["isDone"] = True
    return shown(task)


def tool(run, scope, description, params, **more):
    definition = {"name": run.__name__, "scope": scope, "description": description, "params": params, **more}
    return run.__name__, (run, definition)


READ, WRITE = "mcp:tasks:read", "mcp:tasks:write"
TOOLS = dict(
    [
        tool(
            list_tasks, READ, "List your tasks, the open ones unless asked for all.", {"all": "boolean?"},
            annotations={"readOnlyHint": True},
        ),
        tool(add_task, WRITE, "Add a task of your own.", {"title": "string"}),
        tool(
            complete_task, WRITE, "Mark one of your tasks as done.", {"id": "string"},
            annotations={"idempotentHint": True},
        ),
    ]
)
# What is no tool: the lists, for the technical token; the rest, for users.
LISTS = {
    "list_tools": {"tools": [definition for _, definition in TOOLS.values()]},
    # "list_prompts": {"prompts": [{"name": "plan_day", "description": "Plan my day.", "scope": READ}]},
    # "list_resources": {"resources": [{"uri": "tasks://help", "name": "Help", "scope": READ}]},
}
# What a gateway asks for with the technical token, whether or not it is here.
OPTIONAL_LISTS = {"list_prompts", "list_resources", "list_resource_templates", "get_snapshot"}
METHODS = {
    "get_help": lambda user, **_: {"overview": "Tasks, each with one owner.", "workflows": ["list_tasks, then complete_task"]},
    "whoami": lambda user, **_: {"name": user["name"], "mayWrite": WRITE in user["scopes"]},
    # "get_prompt": lambda user, **_: {"messages": [{"role": "user", "content": {"type": "text", "text": "Plan."}}]},
    # "read_resource": lambda user, uri, **_: {"contents": [{"uri": uri, "mimeType": "text/plain", "text": "Tasks."}]},
}


def answer(headers, body):
    token = re.sub(r"^Bearer ", "", headers.get("Authorization", ""), flags=re.I)
    method = body.get("method") if isinstance(body, dict) else None
    if not isinstance(method, str):
        raise Refusal(400, 'The body is {"method": "...", "params": {...}}.')
    params = body.get("params")
    params = {name: value for name, value in params.items() if name != "user"} if isinstance(params, dict) else {}
    if hmac.compare_digest(token.encode("latin-1", "replace"), TECHNICAL_TOKEN.encode()):
        if method in LISTS:
            return LISTS[method]
        raise Refusal(404 if method in OPTIONAL_LISTS else 403, "The technical token reads the lists alone.")
    user = authenticate(token)
    if user is None:
        raise Refusal(401, "This token is not accepted.")
    if method in LISTS:
        raise Refusal(403, "The lists are read with the technical token.")
    if headers.get("X-Cortex-Kind") != "tool" and method in METHODS:
        return METHODS[method](user, **params)
    if method not in TOOLS:
        raise Refusal(404, f"Unknown method {method[:100]}")
    run, definition = TOOLS[method]
    if definition["scope"] not in user["scopes"]:
        raise Refusal(403, "A scope is missing.", required=definition["scope"])
    return run(user, **params)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 75

    def do_POST(self):
        try:
            length = int(self.headers.get("Content-Length", "0"))
            if length > MAX_BODY:
                self.close_connection = True
                raise Refusal(413, "The request is larger than 1 MB.")
            try:
                body = json.loads(self.rfile.read(length))
            except ValueError:
                raise Refusal(400, "The body is not JSON.") from None
            self.send(200, answer(self.headers, body))
        except Refusal as refusal:
            self.send(refusal.status, {"error": str(refusal), **refusal.more})
        except Exception as error:  # whatever it was: the caller gets an answer, the log the reason
            print(f"fault: {error!r}", file=sys.stderr)
            self.send(500, {"error": "Something went wrong here."})

    def do_GET(self):
        self.send(200 if self.path == "/healthz" else 404, {"ok": self.path == "/healthz"})

    def send(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 512


if __name__ == "__main__":
    server = Server((os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "4820"))), Handler)
    if IS_DEVELOPMENT:
        print("development: tokens of any issuer on 127.0.0.1 are accepted; set OAUTH_ISSUER", flush=True)
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()
