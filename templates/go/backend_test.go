package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

const testAudience = "https://mcp.example.com/mcp"

var (
	key, _  = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	base64s = base64.RawURLEncoding
	url     string
)

// TestMain serves the backend, and an issuer of the test's own.
func TestMain(m *testing.M) {
	jwk := map[string]string{"kty": "EC", "crv": "P-256", "kid": "test"}
	jwk["x"] = base64s.EncodeToString(key.X.FillBytes(make([]byte, 32)))
	jwk["y"] = base64s.EncodeToString(key.Y.FillBytes(make([]byte, 32)))
	idp := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(response).Encode(map[string]any{"keys": []any{jwk}})
	}))
	technicalToken, audience, issuer, isDevelopment = "technical", testAudience, idp.URL, false
	backend := httptest.NewServer(http.HandlerFunc(handle))
	url = backend.URL + "/api/cortex/backend"
	os.Exit(m.Run())
}

func tokenOf(sub string, more map[string]any) string {
	claims := map[string]any{"iss": issuer, "sub": sub, "aud": testAudience, "exp": time.Now().Unix() + 300, "scope": read + " " + write}
	for name, value := range more {
		claims[name] = value
	}
	head, _ := json.Marshal(map[string]string{"alg": "ES256", "kid": "test"})
	body, _ := json.Marshal(claims)
	text := base64s.EncodeToString(head) + "." + base64s.EncodeToString(body)
	digest := sha256.Sum256([]byte(text))
	r, s, _ := ecdsa.Sign(rand.Reader, key, digest[:])
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return text + "." + base64s.EncodeToString(signature)
}

func call(t *testing.T, token, method string, given map[string]any) (int, map[string]any) {
	t.Helper()
	body, _ := json.Marshal(map[string]any{"method": method, "params": given})
	request, _ := http.NewRequest("POST", url, bytes.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answered := map[string]any{}
	if err := json.NewDecoder(response.Body).Decode(&answered); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answered
}

func TestTheTechnicalTokenListsTheToolsAndRunsNone(t *testing.T) {
	if _, listed := call(t, "technical", "list_tools", nil); len(listed["tools"].([]any)) != 3 {
		t.Fatal(listed)
	}
	for method, wanted := range map[string]int{"list_tasks": 403, "add_task": 403, "list_prompts": 404} {
		if status, _ := call(t, "technical", method, nil); status != wanted {
			t.Fatal(method, status)
		}
	}
}

func TestEachUserHasTheirOwnTasksAndMayNotCompleteAnothers(t *testing.T) {
	ada, bob := tokenOf("ada", nil), tokenOf("bob", nil)
	_, task := call(t, ada, "add_task", map[string]any{"title": "Tea"})
	if _, listed := call(t, bob, "list_tasks", nil); len(listed["tasks"].([]any)) != 0 {
		t.Fatal(listed)
	}
	if status, _ := call(t, bob, "complete_task", map[string]any{"id": task["id"]}); status != 403 {
		t.Fatal(status)
	}
	if _, done := call(t, ada, "complete_task", map[string]any{"id": task["id"]}); done["isDone"] != true {
		t.Fatal(done)
	}
}

func TestATokenThatIsExpiredForSomebodyElseOrShortOfAScopeIsRefused(t *testing.T) {
	bad := []string{tokenOf("ada", map[string]any{"exp": 1}), tokenOf("ada", map[string]any{"aud": "https://elsewhere"}), "nonsense"}
	for _, token := range bad {
		if status, _ := call(t, token, "list_tasks", nil); status != 401 {
			t.Fatal(status)
		}
	}
	status, body := call(t, tokenOf("ada", map[string]any{"scope": read}), "add_task", map[string]any{"title": "Tea"})
	if status != 403 || body["required"] != write {
		t.Fatal(status, body)
	}
}
