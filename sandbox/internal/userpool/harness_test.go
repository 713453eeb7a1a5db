package userpool

import (
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

const (
	clientID    = "clientclientclientclient01"
	otherClient = "clientclientclientclient02"
	password    = "Right-1-password"
)

// fakeClock is a clock that stands still until it is moved.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fixture is a pool of its own for one test.
type fixture struct {
	*Pool
	t     *testing.T
	clock *fakeClock
	store *store.Store
}

// newFixture makes a pool where users sign in by e-mail; change may alter that.
func newFixture(t *testing.T, change func(*Config)) *fixture {
	t.Helper()
	st, err := store.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return newFixtureIn(t, st, change)
}

// testKeys are what all fixtures sign with: making keys takes longer than most tests.
var testKeys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var keys [2]*rsa.PrivateKey
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

func newFixtureIn(t *testing.T, st *store.Store, change func(*Config)) *fixture {
	t.Helper()
	clock := &fakeClock{now: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)}
	cfg := Config{
		ID: "eu-west-1_AbCdEfGhI", Region: "eu-west-1",
		Clients:            []Client{{ID: clientID}, {ID: otherClient}},
		UsernameAttributes: []string{"email"}, RequiredAttributes: []string{"email"}, VerifiedAttributes: []string{"email"},
		PasswordPolicy: PasswordPolicy{8, true, true, true, true},
		AccessTokenKey: testKeys()[0], IDTokenKey: testKeys()[1],
		Clock: clock.Now,
	}
	if change != nil {
		change(&cfg)
	}
	p, err := New(t.Context(), st, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{p, t, clock, st}
}

// user returns a confirmed user.
func (f *fixture) user(name string) *User {
	f.t.Helper()
	if _, err := f.CreateUser(f.t.Context(), CreateUserInput{
		Username: name, TemporaryPassword: password, Attributes: map[string]string{"email_verified": "true"}, Silent: true}); err != nil {
		f.t.Fatal(err)
	}
	if err := f.SetPassword(f.t.Context(), name, password, true); err != nil {
		f.t.Fatal(err)
	}
	u, err := f.UserByName(f.t.Context(), name)
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

func (f *fixture) signIn(u *User, scopes ...string) *Tokens {
	f.t.Helper()
	tokens, err := f.IssueTokens(f.t.Context(), Grant{ClientID: clientID, Sub: u.Sub, Scopes: scopes})
	if err != nil {
		f.t.Fatal(err)
	}
	return tokens
}

// lastCode returns the newest code.
func (f *fixture) lastCode() string {
	f.t.Helper()
	ms, err := f.Messages(f.t.Context(), 1)
	if err != nil || len(ms) != 1 {
		f.t.Fatalf("messages: %v, %v", ms, err)
	}
	return ms[0].Code
}

// claimsOf returns the claims of a token that the pool must have signed.
func (f *fixture) claimsOf(raw string) jwt.MapClaims {
	f.t.Helper()
	claims, err := f.parse(raw)
	if err != nil {
		f.t.Fatal(err)
	}
	return claims
}

// want fails the test unless err is a refusal with that code; "" wants success.
func want(t *testing.T, what string, err error, code string) {
	t.Helper()
	if code == "" && err != nil || code != "" && CodeOf(err) != code {
		t.Errorf("%s: error = %v, want %q", what, err, code)
	}
}

// wrong returns a code that is not the right one.
func wrong(code string) string {
	if slices.Contains([]string{"000000"}, code) {
		return "000001"
	}
	return "000000"
}
