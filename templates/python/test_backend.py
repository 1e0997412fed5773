"""Starts the backend as it is deployed, with an issuer of the test's own."""

import http.server
import json
import os
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

AUDIENCE = "https://mcp.example.com/mcp"
KEY = ec.generate_private_key(ec.SECP256R1())
JWK = {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key())), "kid": "test"}


class Issuer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"keys": [JWK]}).encode())

    def log_message(self, *_):
        pass


def token_of(sub, **more):
    claims = {"iss": BackendTest.iss, "sub": sub, "aud": AUDIENCE, "exp": time.time() + 300}
    claims = {**claims, "scope": "mcp:tasks:read mcp:tasks:write", **more}
    return jwt.encode(claims, KEY, algorithm="ES256", headers={"kid": "test"})


def call(token, method, **params):
    body = json.dumps({"method": method, "params": params}).encode()
    request = urllib.request.Request(BackendTest.url, body, {"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


class BackendTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.issuer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
        threading.Thread(target=cls.issuer.serve_forever, daemon=True).start()
        cls.iss = f"http://127.0.0.1:{cls.issuer.server_port}"
        env = {**os.environ, "PORT": "0", "CORTEX_TECHNICAL_TOKEN": "technical"}
        env = {**env, "OAUTH_AUDIENCE": AUDIENCE, "OAUTH_ISSUER": cls.iss}
        backend = os.path.join(os.path.dirname(os.path.abspath(__file__)), "backend.py")
        cls.backend = subprocess.Popen([sys.executable, backend], env=env, stdout=subprocess.PIPE, text=True)
        port = cls.backend.stdout.readline().split()[-1]
        cls.url = f"http://127.0.0.1:{port}/api/cortex/backend"

    @classmethod
    def tearDownClass(cls):
        cls.backend.kill()
        cls.backend.wait()
        cls.backend.stdout.close()
        cls.issuer.shutdown()
        cls.issuer.server_close()

    def test_the_technical_token_lists_the_tools_and_runs_none(self):
        self.assertEqual(len(call("technical", "list_tools")[1]["tools"]), 3)
        self.assertEqual(call("technical", "list_tasks")[0], 403)
        self.assertEqual(call("technical", "list_prompts")[0], 404)

    def test_each_user_has_their_own_tasks_and_may_not_complete_anothers(self):
        ada, bob = token_of("ada"), token_of("bob")
        task = call(ada, "add_task", title="Tea")[1]
        self.assertEqual(call(bob, "list_tasks")[1], {"tasks": []})
        self.assertEqual(call(bob, "complete_task", id=task["id"])[0], 403)
        self.assertEqual(call(ada, "complete_task", id=task["id"])[1]["isDone"], True)

    def test_a_token_that_is_expired_for_somebody_else_unsigned_or_short_of_a_scope_is_refused(self):
        unsigned = jwt.encode({"iss": self.iss, "sub": "ada", "aud": AUDIENCE, "exp": time.time() + 60}, None, algorithm="none")
        for bad in (token_of("ada", exp=1), token_of("ada", aud="https://elsewhere"), unsigned, "nonsense"):
            self.assertEqual(call(bad, "list_tasks")[0], 401)
        status, body = call(token_of("ada", scope="mcp:tasks:read"), "add_task", title="Tea")
        self.assertEqual((status, body["required"]), (403, "mcp:tasks:write"))


if __name__ == "__main__":
    unittest.main()
