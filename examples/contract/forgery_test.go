package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/internal/testpool"
)

// service is the contract server on a user pool of its own.
type service struct {
	*testpool.Pool
	handler http.Handler
	url     string
}

func newService(t *testing.T) *service {
	t.Helper()
	pool := testpool.New(t)
	runner, err := amplifyhttp.NewServerRunner(pool.IdentityConfig(),
		amplifyhttp.Options{Bearer: true, App: pool.Options()})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := newHandler(runner)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		if err := runner.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return &service{pool, handler, server.URL}
}

// get gets a path with a Cookie header. Refused answers are expected to be the JSON of an error.
func (s *service) get(
	t *testing.T, path, cookies string,
) (status int, me meAnswer, refused failure, header http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var v any = &me
	if resp.StatusCode != http.StatusOK {
		v = &refused
	}
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		t.Fatalf("status %d: %v", resp.StatusCode, err)
	}
	return resp.StatusCode, me, refused, resp.Header
}

// refused expects a session to be refused for a reason wherever a user is needed.
func (s *service) refused(t *testing.T, cookies string, want amplify.Reason) {
	t.Helper()
	for _, path := range []string{"/me", "/protected/me"} {
		status, _, got, header := s.get(t, path, cookies)
		if status != http.StatusUnauthorized || got.Reason != want {
			t.Errorf("%s: status %d, reason %q; want 401, %q", path, status, got.Reason, want)
		}
		if lines := header["Set-Cookie"]; len(lines) > 0 {
			t.Errorf("%s: cookies were set: %d lines", path, len(lines))
		}
	}
}

func TestSignedIn(t *testing.T) {
	s := newService(t)
	cookies := testpool.Cookies(testpool.Alice, s.Access(testpool.Alice), s.ID(testpool.Alice),
		"refresh-1")
	for _, path := range []string{"/me", "/protected/me"} {
		status, me, refused, _ := s.get(t, path, cookies)
		if want := (meAnswer{testpool.Alice.Name, testpool.Alice.Sub}); status != http.StatusOK ||
			me != want {
			t.Errorf("%s: status %d, %+v %+v; want %+v", path, status, me, refused, want)
		}
	}
}

// TestForgedToken puts forged tokens in either place beside a good one.
func TestForgedToken(t *testing.T) {
	s := newService(t)
	alice := testpool.Alice
	key1, rogue := s.Key("key-1"), s.Key("rogue")
	spki, err := x509.MarshalPKIXPublicKey(&key1.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(&key1.PublicKey)
	kid := map[string]any{"kid": "key-1"}
	rs256 := func(key *rsa.PrivateKey, header map[string]any) func(map[string]any) string {
		return func(claims map[string]any) string {
			return s.JWT(jwt.SigningMethodRS256, key, header, claims)
		}
	}
	hmac := func(secret []byte) func(map[string]any) string {
		return func(claims map[string]any) string {
			return s.JWT(jwt.SigningMethodHS256, secret, kid, claims)
		}
	}
	unsigned := func(alg string) func(map[string]any) string {
		return func(claims map[string]any) string {
			return part(t, map[string]any{"alg": alg, "kid": "key-1"}) + "." + part(t, claims) + "."
		}
	}
	good := rs256(key1, kid)
	edited := func(name string, value any) func(map[string]any) string {
		return func(claims map[string]any) string { claims[name] = value; return good(claims) }
	}
	removed := func(names ...string) func(map[string]any) string {
		return func(claims map[string]any) string {
			for _, name := range names {
				delete(claims, name)
			}
			return good(claims)
		}
	}
	forgeries := []struct {
		name  string
		forge func(claims map[string]any) string
		want  amplify.Reason
	}{
		{"alg none", unsigned("none"), amplify.ReasonBadAlgorithm},
		{"alg None", unsigned("None"), amplify.ReasonBadAlgorithm},
		{"alg NONE", unsigned("NONE"), amplify.ReasonBadAlgorithm},
		{"alg nOnE", unsigned("nOnE"), amplify.ReasonBadAlgorithm},
		{"alg empty", unsigned(""), amplify.ReasonBadAlgorithm},
		{"alg rs256", unsigned("rs256"), amplify.ReasonBadAlgorithm},
		{"no alg", func(claims map[string]any) string {
			return part(t, kid) + "." + part(t, claims) + "."
		}, amplify.ReasonBadAlgorithm},
		{"RS256 with an empty signature", unsigned("RS256"), amplify.ReasonBadSignature},
		{"HS256 with the public key, PEM",
			hmac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})),
			amplify.ReasonBadAlgorithm},
		{"HS256 with the public key, PKCS #1 PEM",
			hmac(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1})),
			amplify.ReasonBadAlgorithm},
		{"HS256 with the public key, DER", hmac(spki), amplify.ReasonBadAlgorithm},
		{"HS256 with the modulus", hmac(key1.N.Bytes()), amplify.ReasonBadAlgorithm},
		{"another key under the same kid", rs256(rogue, kid), amplify.ReasonBadSignature},
		{"another key without kid", rs256(rogue, nil), amplify.ReasonUnknownKey},
		{"another key with its own kid", rs256(rogue, map[string]any{"kid": "rogue"}),
			amplify.ReasonUnknownKey},
		{"the right key without kid", rs256(key1, nil), amplify.ReasonUnknownKey},
		{"the kid of the other key", rs256(key1, map[string]any{"kid": "key-2"}),
			amplify.ReasonBadSignature},
		{"a kid that is no text", rs256(key1, map[string]any{"kid": 1}), amplify.ReasonUnknownKey},
		{"embedded jwk",
			rs256(rogue,
				map[string]any{"kid": "key-1", "jwk": s.KeySet("rogue")["keys"].([]any)[0]}),
			amplify.ReasonBadSignature},
		{"embedded jku",
			rs256(rogue,
				map[string]any{"kid": "rogue", "jku": "https://evil.test/.well-known/jwks.json"}),
			amplify.ReasonUnknownKey},
		{"crit", rs256(key1, map[string]any{"kid": "key-1", "crit": []string{"exp"}}),
			amplify.ReasonMalformedToken},
		{"RS512", func(claims map[string]any) string {
			return s.JWT(jwt.SigningMethodRS512, key1, kid, claims)
		}, amplify.ReasonBadAlgorithm},
		{"PS256", func(claims map[string]any) string {
			return s.JWT(jwt.SigningMethodPS256, key1, kid, claims)
		}, amplify.ReasonBadAlgorithm},
		{"tampered payload", func(claims map[string]any) string {
			header, rest, _ := strings.Cut(good(claims), ".")
			_, signature, _ := strings.Cut(rest, ".")
			claims["sub"] = testpool.Bob.Sub
			return header + "." + part(t, claims) + "." + signature
		}, amplify.ReasonBadSignature},
		{"tampered signature", func(claims map[string]any) string {
			token := []byte(good(claims))
			if at := &token[len(token)-10]; *at == 'A' { // what else it becomes must be base64, too
				*at = 'B'
			} else {
				*at = 'A'
			}
			return string(token)
		}, amplify.ReasonBadSignature},
		{"another user pool's issuer",
			edited("iss", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"),
			amplify.ReasonWrongIssuer},
		{"another region's issuer",
			edited("iss", "https://cognito-idp.us-east-1.amazonaws.com/"+testpool.ID),
			amplify.ReasonWrongIssuer},
		{"issuer with a slash", edited("iss", testpool.Issuer+"/"), amplify.ReasonWrongIssuer},
		{"no issuer", removed("iss"), amplify.ReasonWrongIssuer},
		{"the updated issuer, which has no keys",
			edited("iss", strings.Replace(testpool.Issuer, "//", "//issuer-", 1)),
			amplify.ReasonUnknownKey},
		{"another client", func(claims map[string]any) string {
			for _, name := range []string{"client_id", "aud"} {
				if claims[name] != nil {
					claims[name] = "other"
				}
			}
			return good(claims)
		}, amplify.ReasonWrongClient},
		{"no client", removed("client_id", "aud"), amplify.ReasonWrongClient},
		{"two audiences", edited("aud", []string{testpool.Client, "other"}), ""},
		{"another token_use", edited("token_use", "refresh"), amplify.ReasonWrongTokenUse},
		{"no token_use", removed("token_use"), amplify.ReasonWrongTokenUse},
		{"Token_Use", func(claims map[string]any) string {
			claims["Token_Use"] = claims["token_use"]
			delete(claims, "token_use")
			return good(claims)
		}, amplify.ReasonWrongTokenUse},
		{"not yet valid", edited("nbf", s.Now().Add(time.Hour).Unix()), amplify.ReasonNotYetValid},
		{"no sub", removed("sub"), amplify.ReasonMalformedToken},
		{"sub that is no text", edited("sub", 7), amplify.ReasonMalformedToken},
		{"exp beyond all time", edited("exp", 1e300), amplify.ReasonMalformedToken},
		{"garbage", func(map[string]any) string { return "not-a-token" },
			amplify.ReasonMalformedToken},
		{"two parts",
			func(claims map[string]any) string { return part(t, kid) + "." + part(t, claims) },
			amplify.ReasonMalformedToken},
		{"four parts", func(claims map[string]any) string { return good(claims) + ".x" },
			amplify.ReasonMalformedToken},
		{"dots", func(map[string]any) string { return ".." }, amplify.ReasonMalformedToken},
		{"null payload", func(map[string]any) string {
			return part(t, map[string]any{"alg": "RS256", "kid": "key-1"}) + ".bnVsbA.c2ln"
		}, amplify.ReasonWrongIssuer},
		{"larger than a cookie", edited("custom:x", strings.Repeat("x", 4096)),
			amplify.ReasonTokenTooLarge},
	}
	places := []struct {
		use     string
		claims  func() map[string]any
		cookies func(forged string) string
	}{
		{"access", func() map[string]any {
			return s.Claims(map[string]any{"token_use": "access", "client_id": testpool.Client,
				"username": alice.Name}, alice)
		}, func(forged string) string {
			return testpool.Cookies(alice, forged, s.ID(alice), "refresh-1")
		}},
		{"id", func() map[string]any {
			return s.Claims(map[string]any{"token_use": "id", "aud": testpool.Client,
				"cognito:username": alice.Name}, alice)
		}, func(forged string) string {
			return testpool.Cookies(alice, s.Access(alice), forged, "refresh-1")
		}},
	}
	for _, f := range forgeries {
		for _, place := range places {
			if f.want == "" && place.use == "access" {
				continue // aud means nothing in an access token
			}
			want := f.want
			if want == "" {
				want = amplify.ReasonMalformedToken
			}
			t.Run(place.use+"/"+f.name, func(t *testing.T) {
				s.refused(t, place.cookies(f.forge(place.claims())), want)
			})
		}
	}
	if n := len(s.Refreshes()); n != 0 {
		t.Errorf("%d refreshes for forged tokens", n)
	}
}

// TestForgedSession puts together sessions of pieces, each of which may be good.
func TestForgedSession(t *testing.T) {
	s := newService(t)
	alice, bob := testpool.Alice, testpool.Bob
	expired := []testpool.Claim{
		{Name: "iat", Value: s.Now().Unix() - 7200}, {Name: "exp", Value: s.Now().Unix() - 3600},
	}
	forged := func(u testpool.User, edits ...testpool.Claim) (access, id string) {
		return s.JWT(jwt.SigningMethodRS256, s.Key("rogue"), map[string]any{"kid": "key-1"},
				s.Claims(map[string]any{
					"token_use": "access", "client_id": testpool.Client, "username": u.Name}, u,
					edits...)),
			s.JWT(jwt.SigningMethodRS256, s.Key("rogue"), map[string]any{"kid": "key-1"},
				s.Claims(map[string]any{
					"token_use": "id", "aud": testpool.Client, "cognito:username": u.Name}, u,
					edits...))
	}
	forgedAccess, forgedID := forged(bob, expired...)
	_, rogueID := forged(alice)
	for _, c := range []struct {
		name    string
		cookies string
		want    amplify.Reason
	}{
		{"no cookies", "", amplify.ReasonNoSession},
		{"other cookies", "theme=dark; session=1", amplify.ReasonNoSession},
		{"LastAuthUser alone", testpool.Cookies(alice, "", "", ""), amplify.ReasonNoSession},
		{"ID token in both places", testpool.Cookies(alice, s.ID(alice), s.ID(alice), "r"),
			amplify.ReasonWrongTokenUse},
		{"access token in both places",
			testpool.Cookies(alice, s.Access(alice), s.Access(alice), "r"),
			amplify.ReasonWrongTokenUse},
		{"expired without refresh token",
			testpool.Cookies(alice, s.Access(alice, expired...), s.ID(alice, expired...), ""),
			amplify.ReasonExpiredNoRefreshToken},
		{"expired with the refresh token undefined",
			testpool.Cookies(alice, s.Access(alice, expired...), s.ID(alice, expired...),
				"undefined"), amplify.ReasonExpiredNoRefreshToken},
		{"expired with a refresh token that is none",
			testpool.Cookies(alice, s.Access(alice, expired...), s.ID(alice, expired...), "a b"),
			amplify.ReasonExpiredNoRefreshToken},
		{"forged expired tokens with another's refresh token",
			testpool.Cookies(bob, forgedAccess, forgedID, "refresh-of-bob"),
			amplify.ReasonBadSignature},
		{"another's ID token", testpool.Cookies(alice, s.Access(alice), s.ID(bob), "r"),
			amplify.ReasonUserMismatch},
		{"another's access token", testpool.Cookies(alice, s.Access(bob), s.ID(alice), "r"),
			amplify.ReasonUserMismatch},
		{"ID token of the same sub and another name",
			testpool.Cookies(alice, s.Access(alice),
				s.ID(testpool.User{Sub: alice.Sub, Name: "admin"}), "r"),
			amplify.ReasonUserMismatch},
		{"ID token of the same name and another sub",
			testpool.Cookies(alice, s.Access(alice),
				s.ID(testpool.User{Sub: bob.Sub, Name: alice.Name}), "r"),
			amplify.ReasonUserMismatch},
		{"no ID token", testpool.Cookies(alice, s.Access(alice), "", "r"),
			amplify.ReasonIncompleteSession},
		{"ID token undefined", testpool.Cookies(alice, s.Access(alice), "undefined", "r"),
			amplify.ReasonIncompleteSession},
		{"forged ID token", testpool.Cookies(alice, s.Access(alice), rogueID, "r"),
			amplify.ReasonBadSignature},
		{"no access token", testpool.Cookies(alice, "", s.ID(alice), "r"),
			amplify.ReasonIncompleteSession},
		{"refresh token alone", testpool.Cookies(alice, "", "", "r"),
			amplify.ReasonIncompleteSession},
		{"no name at all",
			testpool.Cookies(testpool.User{Name: strings.Repeat("x", 129)}, s.Access(alice),
				s.ID(alice), "r"), amplify.ReasonIncompleteSession},
		{"LastAuthUser of nobody", testpool.Cookies(bob, "", "", "") + "; " +
			strings.TrimPrefix(testpool.Cookies(alice, s.Access(alice), s.ID(alice), "r"),
				testpool.Prefix+"LastAuthUser=alice; "), amplify.ReasonIncompleteSession},
	} {
		t.Run(c.name, func(t *testing.T) { s.refused(t, c.cookies, c.want) })
	}
	for _, drift := range []string{"", "abc", "NaN", "-Infinity", "-99999999999", "-1e9",
		"-600000abc", "99999999999999999999", "0x-1", "null"} {
		t.Run("drift "+drift, func(t *testing.T) {
			access, id := s.Access(alice, expired...), s.ID(alice, expired...)
			cookies := testpool.Cookies(alice, access, id, "")
			cookies += "; " + testpool.Prefix + "alice.clockDrift=" + drift
			s.refused(t, cookies, amplify.ReasonExpiredNoRefreshToken)
		})
	}
	if n := len(s.Refreshes()); n != 0 {
		t.Errorf("%d refreshes for sessions that have no right to one", n)
	}
}

// TestForgedBearer presents forged access tokens in the Authorization header.
func TestForgedBearer(t *testing.T) {
	s := newService(t)
	for _, c := range []struct {
		name, token string
		status      int
		want        amplify.Reason
	}{
		{"good", s.Access(testpool.Alice), http.StatusOK, ""},
		{"ID token", s.ID(testpool.Alice), http.StatusUnauthorized, amplify.ReasonWrongTokenUse},
		{"another key",
			s.Sign("rogue", map[string]any{"token_use": "access", "client_id": testpool.Client},
				testpool.Alice, nil), http.StatusUnauthorized, amplify.ReasonUnknownKey},
		{"another client",
			s.Access(testpool.Alice, testpool.Claim{Name: "client_id", Value: "other"}),
			http.StatusUnauthorized, amplify.ReasonWrongClient},
		{"expired", s.Access(testpool.Alice, testpool.Claim{Name: "exp", Value: s.Now().Unix()}),
			http.StatusUnauthorized, amplify.ReasonExpiredNoRefreshToken},
		{"not yet valid",
			s.Access(testpool.Alice, testpool.Claim{Name: "nbf", Value: s.Now().Unix() + 1}),
			http.StatusUnauthorized, amplify.ReasonNotYetValid},
		{"of an app client", s.Access(testpool.Alice, testpool.Claim{Name: "username"}),
			http.StatusUnauthorized, amplify.ReasonIncompleteSession},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/me", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+c.token)
			// Good cookies do not help a bad header: the request is judged by the header alone.
			access, id := s.Access(testpool.Alice), s.ID(testpool.Alice)
			r.Header.Set("Cookie", testpool.Cookies(testpool.Alice, access, id, "r"))
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var got failure
			if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.status || got.Reason != c.want {
				t.Errorf("status %d, reason %q; want %d, %q", resp.StatusCode, got.Reason, c.status,
					c.want)
			}
		})
	}
}

// TestUnknownKeyFlood sends tokens that name ever new keys.
func TestUnknownKeyFlood(t *testing.T) {
	s := newService(t)
	const host = "cognito-idp.eu-west-1.amazonaws.com"
	flood := func(minute int) {
		for i := range 50 {
			kid := map[string]any{"kid": fmt.Sprintf("kid-%d-%d", minute, i)}
			token := s.JWT(jwt.SigningMethodRS256, s.Key("rogue"), kid,
				s.Claims(map[string]any{"token_use": "access", "client_id": testpool.Client,
					"username": "alice"}, testpool.Alice))
			s.refused(t, testpool.Cookies(testpool.Alice, token, s.ID(testpool.Alice), "r"),
				amplify.ReasonUnknownKey)
		}
	}
	for minute := range 3 {
		flood(minute)
		if n := s.KeyFetches(host); n != minute+1 {
			t.Fatalf("after %d minutes the keys were fetched %d times", minute, n)
		}
		s.Advance(59 * time.Second)
		flood(minute)
		if n := s.KeyFetches(host); n != minute+1 {
			t.Fatalf("within a minute the keys were fetched %d times", n)
		}
		s.Advance(time.Second)
	}
}

func part(t *testing.T, v map[string]any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}
