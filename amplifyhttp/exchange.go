package amplifyhttp

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
)

// exchange is one request and its response, as far as a session is concerned. It gives the request's tokens and AWS
// credentials, is the [cookie.Store] below them, holds back the cookies that are set until the final header, and
// notes what the caching of the response depends on.
//
// Everything is lazy: a request for which no Amplify API is called costs this struct and its contexts. An exchange
// is never pooled: a handler may leave a goroutine behind that still holds its context.
type exchange struct {
	runner  *ServerRunner
	request *http.Request
	context exchangeContext
	writer  responseWriter

	// mu guards what follows: handlers start goroutines, and a refresh may end while the
	// final header is being written.
	mu      sync.Mutex
	header  http.Header // where Set-Cookie lines wait for the final header, or the response's header itself
	direct  bool        // header is the response's own: its writer is not ours, nothing can wait
	gone    bool        // no cookie can be set any more
	read    bool        // the response depends on the session
	storage *cookie.KeyValueStorage
	session amplify.Providers
	line    [1]string // of the header, see personal
}

var (
	_ cookie.WritableStore = (*exchange)(nil)
	_ cookie.AtomicStore   = (*exchange)(nil)
	_ cookie.PendingStore  = (*exchange)(nil)
)

// exchangeKey is the key of a runner's exchange in a context: runners do not see each other's.
type exchangeKey struct{ runner *ServerRunner }

// exchangeContext carries an exchange.
type exchangeContext struct {
	context.Context
	x *exchange
}

func (c *exchangeContext) Value(key any) any {
	if k, ok := key.(exchangeKey); ok && k.runner == c.x.runner {
		return c.x
	}
	return c.Context.Value(key)
}

// exchangeOf returns the exchange that r belongs to, or nil.
//
// A request that a handler has made up from another one's context is not that other
// request, unless it carries the same credentials.
func (s *ServerRunner) exchangeOf(r *http.Request) *exchange {
	x, ok := r.Context().Value(exchangeKey{s}).(*exchange)
	if !ok || x.request != r &&
		(!slices.Equal(x.request.Header["Cookie"], r.Header["Cookie"]) ||
			!slices.Equal(x.request.Header["Authorization"], r.Header["Authorization"])) {
		return nil
	}
	return x
}

// newExchange returns the exchange of a request. Its cookies wait for the final header if watch is set: w is
// then to be replaced by the exchange's writer. Without w no cookie can be set.
func (s *ServerRunner) newExchange(w http.ResponseWriter, r *http.Request, watch bool) *exchange {
	x := &exchange{runner: s, request: r, gone: w == nil}
	x.context = exchangeContext{r.Context(), x}
	x.writer = responseWriter{w, x}
	if w != nil && !watch {
		x.header, x.direct = w.Header(), true
	}
	return x
}

// Tokens implements [amplify.TokenProvider].
func (x *exchange) Tokens(ctx context.Context, in amplify.TokensInput) (*amplify.Tokens, error) {
	return x.providers().Tokens.Tokens(ctx, in)
}

// Credentials implements [amplify.CredentialsProvider].
func (x *exchange) Credentials(ctx context.Context, in amplify.CredentialsInput) (*amplify.Credentials, error) {
	p := x.providers().Credentials
	if p == nil {
		return nil, nil
	}
	return p.Credentials(ctx, in)
}

func (x *exchange) providers() amplify.Providers {
	x.mu.Lock()
	session := x.session
	x.mu.Unlock()
	if session.Tokens != nil {
		return session
	}
	kv := x.sessionStorage()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.session.Tokens == nil {
		x.session = x.newProviders(kv)
	}
	return x.session
}

// newProviders returns sources of the request's tokens and credentials. x.mu is held.
func (x *exchange) newProviders(kv amplify.KeyValueStorage) amplify.Providers {
	if x.runner.bearer {
		if token, ok := bearerToken(x.request); ok {
			x.reads()
			// The identity pool takes ID tokens alone: there are no credentials.
			return amplify.Providers{Tokens: x.runner.cognito.BearerTokenProvider(token)}
		}
	}
	return x.runner.cognito.Providers(kv)
}

// sessionStorage returns the session's storage. x.mu is not held: a storage that is made calls methods of x, its
// store.
func (x *exchange) sessionStorage() *cookie.KeyValueStorage {
	x.mu.Lock()
	kv := x.storage
	x.mu.Unlock()
	if kv != nil {
		return kv
	}
	kv = cookie.NewKeyValueStorage(x, x.runner.cookies)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.storage == nil { // no other goroutine was faster
		x.storage = kv
	}
	return x.storage
}

// bearerToken returns the credentials of an Authorization: Bearer header (RFC 6750 §2.1).
func bearerToken(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// CookieHeader implements [cookie.Store]. The session is read through it and nothing else.
func (x *exchange) CookieHeader() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.reads()
	return x.request.Header["Cookie"]
}

// reads notes that the response depends on the session. x.mu is held.
func (x *exchange) reads() {
	x.read = true
	if x.direct {
		x.personal(x.header)
	}
}

// SetCookieHeader implements [cookie.PendingStore]. It returns the lines that wait for the final header
// or, where nothing can wait, those of the response.
func (x *exchange) SetCookieHeader() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.header["Set-Cookie"]) // Set changes lines in place
}

// Writable implements [cookie.WritableStore].
func (x *exchange) Writable() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.gone
}

// Set implements [cookie.Store].
func (x *exchange) Set(c *http.Cookie) { x.SetAll([]*http.Cookie{c}) }

// SetAll implements [cookie.AtomicStore]. The header does not go before all cookies are in it.
func (x *exchange) SetAll(cookies []*http.Cookie) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.gone {
		return false
	}
	if x.header == nil {
		x.header = http.Header{}
	}
	for _, c := range cookies {
		cookie.Add(x.header, c)
	}
	if x.direct {
		notShared(x.header)
	}
	return true
}

// commit completes h, the header of the response, before it is written. Afterwards no cookie can be set.
func (x *exchange) commit(h http.Header) {
	x.mu.Lock()
	gone := x.gone
	x.mu.Unlock()
	if gone {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.gone {
		return
	}
	x.gone = true
	if x.direct {
		return // everything is in h already
	}
	if lines := x.header["Set-Cookie"]; len(lines) > 0 {
		h["Set-Cookie"] = append(h["Set-Cookie"], lines...)
		notShared(h)
	}
	if x.read {
		x.personal(h)
	}
}
