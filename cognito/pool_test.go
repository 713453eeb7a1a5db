package cognito_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/testpool"
)

var alice, bob = testpool.Alice, testpool.Bob

// newCognito returns the Cognito of an App on pool.
func newCognito(t testing.TB, pool *testpool.Pool, o cognito.Options) *cognito.Client {
	t.Helper()
	app, err := amplify.New(pool.Config(), pool.Options())
	if err != nil {
		t.Fatal(err)
	}
	c, err := cognito.New(app, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Close(context.Background()), app.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return c
}

// storage is a key-value storage in memory.
type storage struct {
	mu       sync.Mutex
	entries  [][2]string
	readOnly bool
}

// session returns a storage with a session under u's name.
func session(u testpool.User, access, id, refresh string) *storage {
	s := &storage{}
	s.add("LastAuthUser", u.Name)
	for _, e := range [][2]string{{"accessToken", access}, {"idToken", id}, {"refreshToken", refresh}} {
		if e[1] != "" {
			s.add(u.Name+"."+e[0], e[1])
		}
	}
	return s
}

// add adds a value, a duplicate perhaps, as a browser may send one.
func (s *storage) add(key, value string) *storage {
	s.entries = append(s.entries, [2]string{testpool.Prefix + key, value})
	return s
}

// get returns the values under a key.
func (s *storage) get(key string) (values []string) {
	for _, v := range s.All(testpool.Prefix + key) {
		values = append(values, v)
	}
	return values
}

func (s *storage) All(prefix string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		s.mu.Lock()
		entries := slices.Clone(s.entries)
		s.mu.Unlock()
		for _, e := range entries {
			if strings.HasPrefix(e[0], prefix) && !yield(e[0], e[1]) {
				return
			}
		}
	}
}

var errReadOnly = errors.New("read-only")

func (s *storage) Set(key, value string) error {
	if err := s.Delete(key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = append(s.entries, [2]string{key, value})
	return nil
}

func (s *storage) Delete(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readOnly {
		return errReadOnly
	}
	s.entries = slices.DeleteFunc(s.entries, func(e [2]string) bool { return e[0] == key })
	return nil
}

func (s *storage) Writable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.readOnly
}

// tokens asks a provider of its own for the tokens in kv.
func tokens(t testing.TB, c *cognito.Client, kv amplify.KeyValueStorage) (*amplify.Tokens, error) {
	t.Helper()
	return c.TokenProvider(kv).Tokens(t.Context(), amplify.TokensInput{})
}

// wantUser expects the session in kv to be u's.
func wantUser(t testing.TB, c *cognito.Client, kv amplify.KeyValueStorage, u testpool.User) {
	t.Helper()
	got, err := tokens(t, c, kv)
	if err != nil {
		t.Fatal(err)
	}
	if sub := got.AccessToken.Claims().Subject; sub != u.Sub || got.IDToken.Claims().Subject != u.Sub {
		t.Fatalf("tokens of %s and %s, want %s", sub, got.IDToken.Claims().Subject, u.Sub)
	}
}

// wantReason expects the session in kv to be refused for a reason or, if that is a transient one,
// to fail for it.
func wantReason(t testing.TB, c *cognito.Client, kv amplify.KeyValueStorage, want amplify.Reason) {
	t.Helper()
	_, err := tokens(t, c, kv)
	if got := amplify.ReasonOf(err); err == nil || got != want {
		t.Fatalf("reason %q (%v), want %q", got, err, want)
	}
	transient := want == amplify.ReasonKeysUnavailable || want == amplify.ReasonServiceUnavailable || want == amplify.ReasonConfiguration
	if unauthenticated := errors.Is(err, amplify.ErrUnauthenticated); unauthenticated == transient {
		t.Fatalf("ErrUnauthenticated: %v for %q", unauthenticated, want)
	}
}

// signOut ends the session in kv.
func signOut(t testing.TB, c *cognito.Client, kv amplify.KeyValueStorage) {
	t.Helper()
	if err := c.Providers(kv).Session.End(t.Context(), amplify.EndInput{}); err != nil {
		t.Fatal(err)
	}
}

// roundTrip is a transport of one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func jsonResponse(t testing.TB, r *http.Request, v any) *http.Response {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(b)), Request: r}
}
