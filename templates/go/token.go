package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Whom a token speaks for. Signature, issuer, audience and times are checked here, whatever the gateway did.

var (
	technicalToken = os.Getenv("CORTEX_TECHNICAL_TOKEN")
	audience       = setting("OAUTH_AUDIENCE", "http://127.0.0.1:3213/mcp")
	issuer         = os.Getenv("OAUTH_ISSUER")
	// With `identity: assert`, the gateway's own tokens, made for this backend alone.
	assertionIssuer = os.Getenv("CORTEX_ASSERTION_ISSUER")
	// Without an issuer of your own: development, on this machine alone, with any issuer on this machine.
	isDevelopment = issuer == "" && assertionIssuer == ""
	local         = regexp.MustCompile(`^http://127\.0\.0\.1:\d+$`)
)

// User is who calls. Key holds issuer and subject: two issuers may have the same subject.
type User struct {
	Key, Name string
	Scopes    []string
}

// Has says whether the token holds a scope.
func (user User) Has(scope string) bool { return slices.Contains(user.Scopes, scope) }

type claims struct {
	Iss, Sub, Scope, Email string
	Aud                    any
	Exp, Nbf               float64
	SubID                  *struct{ Iss, Sub string } `json:"sub_id"`
}

func authenticate(token string) (User, bool) {
	parts := strings.Split(token, ".")
	var head struct {
		Alg, Kid string
		Crit     any
	}
	var said claims
	if len(parts) != 3 || decode(parts[0], &head) != nil || decode(parts[1], &said) != nil || head.Crit != nil {
		return User{}, false
	}
	wanted, jwks := "", strings.TrimRight(said.Iss, "/")+"/.well-known/jwks.json"
	switch {
	case said.Iss == "":
	case said.Iss == issuer:
		wanted, jwks = audience, setting("OAUTH_JWKS_URL", jwks)
	case said.Iss == assertionIssuer:
		wanted = os.Getenv("CORTEX_ASSERTION_AUDIENCE")
	case isDevelopment && local.MatchString(said.Iss):
		wanted = audience
	}
	if wanted == "" || !names(said.Aud, wanted) {
		return User{}, false
	}
	now := float64(time.Now().Unix())
	if said.Sub == "" || said.Exp <= now || said.Nbf > now+30 {
		return User{}, false
	}
	key, err := keyOf(jwks, head.Kid)
	signature, bad := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || bad != nil || !isSigned(head.Alg, key, parts[0]+"."+parts[1], signature) {
		return User{}, false
	}
	who := [2]string{said.Iss, said.Sub}
	if said.SubID != nil {
		// An assertion says in `sub_id` whose `sub` it is (RFC 9493).
		who = [2]string{said.SubID.Iss, said.SubID.Sub}
	}
	id, _ := json.Marshal(who)
	name := said.Email
	if name == "" {
		name = said.Sub
	}
	return User{Key: string(id), Name: name, Scopes: strings.Fields(said.Scope)}, true
}

func decode(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func names(aud any, wanted string) bool {
	if list, isList := aud.([]any); isList {
		return slices.Contains(list, any(wanted))
	}
	return aud == any(wanted)
}

func isSigned(alg string, key crypto.PublicKey, text string, signature []byte) bool {
	digest := sha256.Sum256([]byte(text))
	switch public := key.(type) {
	case *rsa.PublicKey:
		return alg == "RS256" && rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		if alg != "ES256" || len(signature) != 64 {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		return ecdsa.Verify(public, digest[:], r, s)
	case ed25519.PublicKey:
		return alg == "EdDSA" && ed25519.Verify(public, []byte(text), signature)
	}
	return false
}

type keySet struct {
	keys   map[string]crypto.PublicKey
	readAt time.Time
}

var (
	keyMutex sync.Mutex
	keySets  = map[string]*keySet{}
	client   = &http.Client{Timeout: 5 * time.Second}
)

// keyOf finds a key by its id; an unknown one is looked for again, at most every 5 seconds.
func keyOf(url, kid string) (crypto.PublicKey, error) {
	keyMutex.Lock()
	defer keyMutex.Unlock()
	held := keySets[url]
	if held == nil {
		if len(keySets) >= 100 {
			return nil, errors.New("too many issuers")
		}
		held = &keySet{}
		keySets[url] = held
	}
	if held.keys[kid] == nil && time.Since(held.readAt) > 5*time.Second {
		held.readAt = time.Now()
		if keys, err := readKeys(url); err == nil {
			held.keys = keys
		}
	}
	if key := held.keys[kid]; key != nil {
		return key, nil
	}
	return nil, errors.New("no such key")
}

func readKeys(url string) (map[string]crypto.PublicKey, error) {
	answer, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var set struct {
		Keys []struct{ Kty, Kid, N, E, X, Y, Crv string }
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxBody)).Decode(&set); err != nil {
		return nil, err
	}
	keys := map[string]crypto.PublicKey{}
	for _, jwk := range set.Keys {
		switch {
		case jwk.Kty == "RSA":
			keys[jwk.Kid] = &rsa.PublicKey{N: number(jwk.N), E: int(number(jwk.E).Int64())}
		case jwk.Kty == "EC" && jwk.Crv == "P-256":
			keys[jwk.Kid] = &ecdsa.PublicKey{Curve: elliptic.P256(), X: number(jwk.X), Y: number(jwk.Y)}
		case jwk.Kty == "OKP" && jwk.Crv == "Ed25519":
			if raw, _ := base64.RawURLEncoding.DecodeString(jwk.X); len(raw) == ed25519.PublicKeySize {
				keys[jwk.Kid] = ed25519.PublicKey(raw)
			}
		}
	}
	return keys, nil
}

func number(text string) *big.Int {
	raw, _ := base64.RawURLEncoding.DecodeString(text)
	return new(big.Int).SetBytes(raw)
}
