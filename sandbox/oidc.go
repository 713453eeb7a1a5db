package sandbox

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/amplify-go/amplify/sandbox/internal/appsync"
)

const (
	// oidcTimeout is how long an OIDC provider may take to answer.
	oidcTimeout = 10 * time.Second
	// oidcInterval is the shortest time between two requests for the same document of a provider,
	// whatever key ids tokens have. After a failure oidcRetry replaces it.
	oidcInterval = time.Minute
	oidcRetry    = 5 * time.Second
	// maxOIDCDocument is how many bytes of a provider's document are read.
	maxOIDCDocument = 1 << 20
)

// verifyOIDC returns the function that verifies tokens of a provider by its keys. The provider is
// asked by base, at the first token, and again for a key that is not known, but not more often than
// [issuerTransport] allows.
func verifyOIDC(p OIDCProvider, base http.RoundTripper, now func() time.Time,
	logger *slog.Logger) func(context.Context, string) (map[string]any, error) {
	client := &http.Client{
		Timeout:       oidcTimeout,
		Transport:     &issuerTransport{base: base, now: now, next: map[string]time.Time{}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// A slow provider must not hold callers longer than their requests may take, as a mutex would.
	lock := make(chan struct{}, 1)
	var verifier *oidc.IDTokenVerifier
	load := func(ctx context.Context) (*oidc.IDTokenVerifier, error) {
		select {
		case lock <- struct{}{}:
			defer func() { <-lock }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if verifier != nil {
			return verifier, nil
		}
		// The provider keeps the context for the requests for its keys.
		ctx = oidc.ClientContext(context.WithoutCancel(ctx), client)
		provider, err := oidc.NewProvider(ctx, p.Issuer)
		if err == nil {
			verifier = provider.Verifier(&oidc.Config{ClientID: p.ClientID,
				SkipClientIDCheck: p.ClientID == "", Now: now})
		}
		return verifier, err
	}
	return func(ctx context.Context, token string) (map[string]any, error) {
		if p.Issuer == "" {
			return nil, appsync.ErrToken
		}
		v, err := load(ctx)
		if err != nil {
			if !errors.Is(err, errAskedLately) {
				logger.WarnContext(ctx, "sandbox: the OIDC provider does not tell its keys",
					"error", err)
			}
			return nil, appsync.ErrToken
		}
		verified, err := v.Verify(ctx, token)
		var expired *oidc.TokenExpiredError
		switch {
		case errors.As(err, &expired):
			return nil, appsync.ErrTokenExpired
		case err != nil:
			return nil, appsync.ErrToken
		}
		claims := map[string]any{}
		return claims, verified.Claims(&claims)
	}
}

// issuerTransport bounds what callers, who choose the key ids of their tokens, can make the sandbox
// ask of a provider, and what the provider can make it read.
type issuerTransport struct {
	base http.RoundTripper
	now  func() time.Time

	mu   sync.Mutex
	next map[string]time.Time // when a document may be asked for again, by its URL
}

// errAskedLately is the error of a request that comes too soon after the one before.
var errAskedLately = errors.New("the provider was asked a moment ago")

// RoundTrip sends a request, unless it comes too soon.
func (t *issuerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	url := r.URL.String()
	if !t.begin(url) {
		return nil, errAskedLately
	}
	response, err := t.base.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusOK {
		t.delay(url, oidcRetry) // from now on: others may have waited for this answer
	}
	if err != nil {
		return nil, err
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maxOIDCDocument)
	return response, nil
}

// begin reports whether a document may be asked for now.
func (t *issuerTransport) begin(url string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now().Before(t.next[url]) {
		return false
	}
	t.next[url] = t.now().Add(oidcInterval)
	return true
}

func (t *issuerTransport) delay(url string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next[url] = t.now().Add(d)
}
