package sandbox

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/amplify-go/amplify/sandbox/faults"
	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
	"github.com/amplify-go/amplify/sandbox/internal/calls"
	"github.com/amplify-go/amplify/sandbox/internal/clock"
	"github.com/amplify-go/amplify/sandbox/internal/console"
	"github.com/amplify-go/amplify/sandbox/internal/identity"
	"github.com/amplify-go/amplify/sandbox/internal/idp"
	"github.com/amplify-go/amplify/sandbox/internal/login"
	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/tlsca"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// Config is what a sandbox is started with. The zero value is a user pool of its own, in
// memory, on a free port.
type Config struct {
	// Outputs is an amplify_outputs.json (Gen 2), of which ids, app client, domain, password policy and groups
	// are taken. Empty: the sandbox makes one, which a kept data directory remembers.
	Outputs []byte
	// DataDir is the directory that keeps everything. Empty: memory.
	DataDir string
	// Addr is where HTTP is served. The default is "127.0.0.1:0". Only loopback addresses are accepted.
	Addr string
	// TLSAddr is where the same is served by TLS, also under the names of AWS's hosts; see [Sandbox.WriteNodeSupport].
	// Empty: nowhere.
	TLSAddr string
	// AppOrigins are the origins of applications, such as "http://localhost:3000". Their routes
	// /api/auth/sign-in-callback and /api/auth/sign-out-callback become redirect URIs.
	AppOrigins []string
	// Clients changes the app client of the outputs, and adds others.
	Clients []Client
	// Users are created unless they exist.
	Users []User
	// AccessTokenKey and IDTokenKey sign the tokens of a user pool that is new; both or neither. By default keys are
	// made. Tests save the time for that, and can forge tokens.
	AccessTokenKey, IDTokenKey *rsa.PrivateKey
	// Logger is told what operators should know, and no secret. The default is [slog.Default].
	Logger *slog.Logger
	// Clock tells the time of everything but TLS certificates. The default is [time.Now].
	Clock func() time.Time
	// FaultSeed decides which calls faults with a probability strike. Zero leaves it to chance.
	FaultSeed uint64
}

// Client is an app client.
type Client struct {
	// ID is the client's; empty means the client of the outputs.
	ID string
	// Secret makes it a confidential client.
	Secret string
	// RotateRefreshTokens makes every refresh token good for one use, and for RotationGrace (0 to 60 s) after it.
	RotateRefreshTokens bool
	RotationGrace       time.Duration
	// AccessTokenValidity and IDTokenValidity default to an hour, RefreshTokenValidity to 30 days.
	AccessTokenValidity, IDTokenValidity, RefreshTokenValidity time.Duration
}

// User is a user who is there from the start, confirmed and with verified addresses.
type User struct {
	// Username is what the user signs in with: an e-mail address or phone number where
	// the user pool says so. Empty: Email.
	Username, Email string
	Password        string
	// NewPasswordRequired makes Password good for one sign-in, at which the user must choose another one.
	NewPasswordRequired bool
	// Attributes are further attributes, such as "name".
	Attributes map[string]string
	// Groups are created if they do not exist.
	Groups []string
}

// Sandbox is a running backend. It is safe for concurrent use.
type Sandbox struct {
	pool    *userpool.Pool
	store   *store.Store
	calls   *calls.Log
	faults  *faults.Set
	clock   *clock.Clock
	logger  *slog.Logger
	ca      *tlsca.CA
	outputs []byte
	hosts   []string // AWS's names that TLS is served under

	url, tlsURL string
	servers     []*http.Server
	serving     sync.WaitGroup
}

// Start starts a sandbox. It answers when Start returns, until [Sandbox.Close]. ctx is for the start itself.
func Start(ctx context.Context, cfg Config) (_ *Sandbox, err error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	st, err := store.Open(ctx, cfg.DataDir)
	if err != nil {
		return nil, err
	}
	s := &Sandbox{store: st, calls: calls.NewLog(200), clock: clock.New(cfg.Clock), logger: cfg.Logger}
	cfg.Clock = s.clock.Now
	defer func() {
		if err != nil {
			_ = s.Close(context.WithoutCancel(ctx))
		}
	}()
	out, err := s.loadOutputs(ctx, cfg.Outputs)
	if err != nil {
		return nil, err
	}
	if err := out.addOrigins(cfg.AppOrigins); err != nil {
		return nil, err
	}
	poolConfig := out.poolConfig(cfg)
	if s.pool, err = userpool.New(ctx, st, poolConfig); err != nil {
		return nil, err
	}
	for _, u := range cfg.Users {
		if err := s.seed(ctx, u); err != nil {
			return nil, fmt.Errorf("sandbox: user %q: %w", u.name(), err)
		}
	}
	s.hosts = awsHosts(poolConfig, out.domain())
	identities, err := out.identityPool(ctx, st, s.pool)
	if err != nil {
		return nil, err
	}

	listeners, err := s.listen(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if s.outputs, err = out.marshal(s.url); err != nil {
		return nil, err
	}
	handler := s.handler(out.domain(), identities, cfg.FaultSeed)
	for _, l := range listeners {
		s.serve(l, handler)
	}
	return s, nil
}

// handler puts the parts behind one address.
func (s *Sandbox) handler(domain string, identities *identity.Pool, faultSeed uint64) http.Handler {
	const apiPattern = "POST /{$}"
	userPool := idp.New(s.pool, domain)
	services := []awsjson.Service{userPool.API()}
	if identities != nil {
		services = append(services, identities.API())
	}
	api := awsjson.NewHandler(s.logger, services...)
	const keys = "jwks.json"
	operations := append(api.Operations(), keys, "/oauth2/authorize", "/oauth2/token", "/oauth2/revoke", "/oauth2/userInfo", "/logout")
	s.faults = faults.NewSet(operations, faultSeed)

	mux := http.NewServeMux()
	mux.Handle(apiPattern, api)
	mux.Handle("OPTIONS /{$}", api)
	userPool.Register(mux)
	login.New(login.Config{Pool: s.pool, Store: s.store, Logger: s.logger, Inbox: s.inboxLink}).Register(mux)
	mux.Handle("GET "+ui.AssetPrefix, ui.NewAssets())

	local := http.NewServeMux()
	console.New(console.Config{Pool: s.pool, Calls: s.calls, Faults: s.faults, Clock: s.clock, Outputs: s.Outputs, Logger: s.logger}).Register(local)
	s.registerAdmin(local)
	local.Handle("GET /{$}", http.RedirectHandler("/console", http.StatusFound))
	for _, pattern := range []string{"GET /{$}", "/console", "/console/", "/inbox", "/admin/"} {
		mux.Handle(pattern, loopbackOnly(local))
	}

	// Calls are what programs ask; pages are not noted.
	name := func(r *http.Request) string {
		_, pattern := mux.Handler(r)
		if pattern == apiPattern {
			return api.Operation(r)
		}
		method, path, _ := strings.Cut(pattern, " ")
		switch {
		case strings.HasPrefix(path, "/oauth2/") && method != http.MethodOptions, path == "/logout":
			return path
		case strings.HasSuffix(path, "/jwks.json"):
			return keys
		}
		return ""
	}
	return s.knownHosts(s.dated(s.calls.Handler(name, s.faults.Handler(name, mux))))
}

// inboxLink returns the address of the inbox for a page that r asked for. Under one of AWS's names the
// page must lead back to the loopback address.
func (s *Sandbox) inboxLink(r *http.Request) string {
	if isLoopback(hostname(r)) {
		return "/inbox"
	}
	return s.url + "/inbox"
}

// dated says in Date what the sandbox's clock tells.
func (s *Sandbox) dated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.clock.Now().UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}

// Close ends the sandbox: it waits for calls under way until ctx is done, then cuts them off.
// It may be called more than once.
func (s *Sandbox) Close(ctx context.Context) error {
	var errs []error
	for _, server := range s.servers {
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, err, server.Close())
		}
	}
	s.serving.Wait()
	return errors.Join(append(errs, s.store.Close())...)
}

// URL is the address of everything by HTTP, such as "http://127.0.0.1:4321".
func (s *Sandbox) URL() string { return s.url }

// TLSURL is the address of everything by TLS, or "".
func (s *Sandbox) TLSURL() string { return s.tlsURL }

// CACertificate returns the certificate of the authority that TLS clients must trust, in PEM, or nil without TLS.
func (s *Sandbox) CACertificate() []byte {
	if s.ca == nil {
		return nil
	}
	return s.ca.PEM()
}

// Outputs returns an amplify_outputs.json that describes the sandbox. It is a plain Gen 2 file; under
// custom.amplify_go.endpoints it says where the sandbox is. Tokens, however, say in iss what AWS's own would.
func (s *Sandbox) Outputs() []byte { return slices.Clone(s.outputs) }
