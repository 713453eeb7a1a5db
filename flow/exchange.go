package flow

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cookie"
)

// Exchange is one request and its response, as far as a session is concerned. It is the source of
// the request's tokens and credentials, and starts and ends its session: see [Exchange.Providers].
// It is made by [Runner.Begin] or [Runner.BeginDirect], and safe for concurrent use.
//
// Everything is lazy: a request for which no Amplify API is called costs this struct. An Exchange
// is never used for a second request, since a handler may leave a goroutine behind that still has
// it.
type Exchange struct {
	runner  *Runner
	request *http.Request
	cookies store
	line    [1]string // the Cache-Control line that Mark has set; it is nearly every response's

	mu      sync.Mutex
	kv      *cookie.KeyValueStorage // on cookies
	session amplify.Providers
}

// Begin makes x, a new Exchange, that of a request. Its cookies wait until
// [Exchange.Commit] is called.
//
// Of the request's header the exchange itself reads Cookie and Authorization, so that an adapter
// that has to copy the header can begin with these. Routes, guards and [Runner.Protect] read more.
func (r *Runner) Begin(x *Exchange, request *http.Request) { r.begin(x, request, waiting, nil) }

// BeginDirect makes x, a new Exchange, that of a request whose response is sent by others: cookies
// go into header as soon as they are set. If header is nil none can be set.
//
// The header is touched while an operation runs, and by BeginDirect and [Exchange.Commit], which is
// called when the operation has ended.
func (r *Runner) BeginDirect(x *Exchange, request *http.Request, header http.Header) {
	if header == nil {
		r.begin(x, request, readOnly, nil)
		return
	}
	r.begin(x, request, direct, header)
	x.cookies.pending = http.Header{"Set-Cookie": slices.Clone(header["Set-Cookie"])}
	x.Mark(header)
}

func (r *Runner) begin(x *Exchange, request *http.Request, m mode, header http.Header) {
	x.runner, x.request = r, request
	x.cookies.request, x.cookies.session = request.Header["Cookie"], r.session
	x.cookies.mode, x.cookies.header = m, header
}

// Covers reports whether r has the credentials of the exchange's request. A handler may make up
// requests from the context of its own one: those of other users are other exchanges.
func (x *Exchange) Covers(r *http.Request) bool {
	return slices.Equal(x.request.Header["Cookie"], r.Header["Cookie"]) &&
		slices.Equal(x.request.Header["Authorization"], r.Header["Authorization"])
}

// Commit completes h, the header of the response, before it is sent: with the cookies
// that were set and with what keeps the response out of shared caches. Afterwards no
// cookie can be set. Further calls do nothing.
func (x *Exchange) Commit(h http.Header) {
	switch changed, ok := x.cookies.commit(h); {
	case !ok:
	case changed:
		notShared(h)
	default:
		x.Mark(h)
	}
}

// Providers returns what a server context of the request needs.
func (x *Exchange) Providers() amplify.Providers {
	return amplify.Providers{Tokens: x, Credentials: x, Session: x}
}

// Tokens implements [amplify.TokenProvider].
func (x *Exchange) Tokens(ctx context.Context, in amplify.TokensInput) (*amplify.Tokens, error) {
	return x.providers().Tokens.Tokens(ctx, in)
}

// Credentials implements [amplify.CredentialsProvider].
func (x *Exchange) Credentials(ctx context.Context, in amplify.CredentialsInput) (*amplify.Credentials, error) {
	if p := x.providers().Credentials; p != nil {
		return p.Credentials(ctx, in)
	}
	return nil, nil
}

// Start implements [amplify.SessionKeeper].
func (x *Exchange) Start(ctx context.Context, tokens amplify.IssuedTokens) error {
	if p := x.providers().Session; p != nil {
		return p.Start(ctx, tokens)
	}
	return amplify.ReadOnlyError()
}

// End implements [amplify.SessionKeeper].
func (x *Exchange) End(ctx context.Context, in amplify.EndInput) error {
	if p := x.providers().Session; p != nil {
		return p.End(ctx, in)
	}
	return amplify.ReadOnlyError()
}

// Lifetime implements [amplify.SessionKeeper].
func (x *Exchange) Lifetime() context.Context {
	if p := x.providers().Session; p != nil {
		return p.Lifetime()
	}
	return context.Background()
}

func (x *Exchange) providers() amplify.Providers {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.session.Tokens == nil {
		x.session = x.newProviders(x.storage())
	}
	return x.session
}

// ReadOnly returns providers for the same request that set no cookies, even if the exchange could.
func (x *Exchange) ReadOnly() amplify.Providers {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.newProviders(readOnlyStorage{x.storage()})
}

// newProviders returns providers on kv. x.mu is held.
func (x *Exchange) newProviders(kv amplify.KeyValueStorage) amplify.Providers {
	if token, ok := x.bearerToken(); ok {
		x.cookies.noteRead()
		// The identity pool takes ID tokens alone: there are no credentials.
		return amplify.Providers{Tokens: x.runner.client.BearerTokenProvider(token)}
	}
	return x.runner.client.Providers(kv)
}

// storage returns the storage of the session. x.mu is held.
func (x *Exchange) storage() *cookie.KeyValueStorage {
	if x.kv == nil {
		x.kv = cookie.NewKeyValueStorage(&x.cookies, x.attributes())
	}
	return x.kv
}

// attributes returns the attributes of the session's cookies. With an origin all requests get the
// same ones.
func (x *Exchange) attributes() cookie.Options {
	o := x.runner.cookies
	if x.runner.insecure && x.request.TLS == nil && isLoopback(hostname(x.request.Host)) {
		o.Insecure = true
	}
	return o
}

// bearerToken returns the credentials of an Authorization: Bearer header (RFC 6750
// §2.1), if the runner accepts them.
func (x *Exchange) bearerToken() (string, bool) {
	if !x.runner.bearer {
		return "", false
	}
	scheme, token, ok := strings.Cut(x.request.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// readOnlyStorage is a storage that cannot be written.
type readOnlyStorage struct{ *cookie.KeyValueStorage }

func (readOnlyStorage) Set(string, string) error  { return cookie.ErrReadOnly }
func (readOnlyStorage) SetAll(...[2]string) error { return cookie.ErrReadOnly }
func (readOnlyStorage) Delete(string) error       { return cookie.ErrReadOnly }
func (readOnlyStorage) Writable() bool            { return false }
