package sandbox

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/appsync"
)

// tokenOf returns a token that nobody has signed.
func tokenOf(keyID, issuer string) string {
	header := fmt.Sprintf(`{"alg": "RS256", "kid": %q}`, keyID)
	claims := fmt.Sprintf(`{"iss": %q, "aud": "client", "sub": "o", "exp": 99999999999}`, issuer)
	return jwtPart(header) + "." + jwtPart(claims) + "." + jwtPart("signature")
}

// TestUnknownKeysAreAskedForSeldom: however many key ids tokens name, the provider is asked once a
// minute, and sooner only if it has failed.
func TestUnknownKeysAreAskedForSeldom(t *testing.T) {
	asked := map[string]int{}
	status := http.StatusOK
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		w.WriteHeader(status)
		if r.URL.Path == "/keys" {
			_, _ = fmt.Fprint(w, `{"keys": []}`)
			return
		}
		_, _ = fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": %q}`, server.URL, server.URL+"/keys")
	}))
	defer server.Close()
	now := time.Now()
	verify := verifyOIDC(OIDCProvider{Issuer: server.URL, ClientID: "client"},
		http.DefaultTransport, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	for _, step := range []struct {
		after           time.Duration
		status          int
		documents, keys int
	}{
		{0, 503, 1, 0}, {oidcRetry - 1, 200, 1, 0}, {1, 200, 2, 1},
		{oidcInterval - 1, 200, 2, 1}, {1, 503, 2, 2}, {oidcRetry - 1, 200, 2, 2}, {1, 200, 2, 3},
		{oidcRetry, 200, 2, 3},
	} {
		now, status = now.Add(step.after), step.status
		for i := range 20 {
			_, err := verify(t.Context(), tokenOf(fmt.Sprint(step, i), server.URL))
			if !errors.Is(err, appsync.ErrToken) {
				t.Fatal(err)
			}
		}
		got := asked["/.well-known/openid-configuration"]
		if got != step.documents || asked["/keys"] != step.keys {
			t.Errorf("%+v: asked for %v", step, asked)
		}
	}
}

// TestLyingProviders: a provider that is another one, sends elsewhere, or never ends its answer is
// not believed, and holds nobody up.
func TestLyingProviders(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"another issuer": func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, `{"issuer": "https://other.example", "jwks_uri": "http://%s/keys"}`,
				r.Host)
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"/", http.StatusFound)
		},
		"an endless answer": func(w http.ResponseWriter, r *http.Request) {
			_, err := fmt.Fprintf(w, `{"issuer": "http://%s", "a": "`, r.Host)
			for n := 0; err == nil; n++ {
				if n > 100<<20/1024 {
					t.Error("all of it is read")
					return
				}
				_, err = w.Write([]byte(strings.Repeat("x", 1024)))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(
				func(w http.ResponseWriter, r *http.Request) {
					asked++
					answer(w, r)
				}))
			defer server.Close()
			verify := verifyOIDC(OIDCProvider{Issuer: server.URL, ClientID: "client"},
				http.DefaultTransport, time.Now, slog.New(slog.DiscardHandler))
			for range 3 {
				_, err := verify(t.Context(), tokenOf("k", server.URL))
				if !errors.Is(err, appsync.ErrToken) {
					t.Error(err)
				}
			}
			if asked != 1 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

// roundTrip is a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestStallingProvider: a provider that accepts a request and says nothing is asked by one caller
// at a time. Those who wait for that learn of it at once, and those who have gone wait no longer.
func TestStallingProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		verify := verifyOIDC(OIDCProvider{Issuer: "https://op.example"},
			roundTrip(func(r *http.Request) (*http.Response, error) {
				asked++
				<-r.Context().Done()
				return nil, r.Context().Err()
			}), time.Now, slog.New(slog.DiscardHandler))
		begun := time.Now()
		token := tokenOf("k", "https://op.example")
		var callers sync.WaitGroup
		for i := range 50 {
			callers.Go(func() {
				if _, err := verify(t.Context(), token); !errors.Is(err, appsync.ErrToken) {
					t.Error(err)
				}
				if waited := time.Since(begun); waited != oidcTimeout {
					t.Errorf("caller %d waited %v", i, waited)
				}
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := verify(ctx, token); !errors.Is(err, appsync.ErrToken) {
			t.Error(err)
		}
		if waited := time.Since(begun); waited != time.Second {
			t.Errorf("one who has gone waited %v", waited)
		}
		callers.Wait()
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

func jwtPart(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
