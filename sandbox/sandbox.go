package sandbox

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
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
	poolConfig, err := out.poolConfig(cfg)
	if err != nil {
		return nil, err
	}
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

// listen opens the listeners that cfg asks for.
func (s *Sandbox) listen(ctx context.Context, cfg Config) (listeners []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range listeners {
				_ = l.Close()
			}
		}
	}()
	plain, err := listenLoopback(ctx, cfg.Addr)
	if err != nil {
		return nil, err
	}
	listeners = append(listeners, plain)
	s.url = "http://" + plain.Addr().String()
	if cfg.TLSAddr == "" {
		return listeners, nil
	}
	config, err := s.tlsConfig(ctx)
	if err != nil {
		return listeners, fmt.Errorf("sandbox: TLS: %w", err)
	}
	secure, err := listenLoopback(ctx, cfg.TLSAddr)
	if err != nil {
		return listeners, err
	}
	s.tlsURL = "https://" + secure.Addr().String()
	return append(listeners, tls.NewListener(secure, config)), nil
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
	login.New(login.Config{Pool: s.pool, Store: s.store, Logger: s.logger, Inbox: "/inbox"}).Register(mux)
	console.New(console.Config{Pool: s.pool, Calls: s.calls, Faults: s.faults, Clock: s.clock, Outputs: s.Outputs, Logger: s.logger}).Register(mux)
	s.registerAdmin(mux)
	mux.Handle("GET "+ui.AssetPrefix, ui.NewAssets())
	mux.Handle("GET /{$}", http.RedirectHandler("/console", http.StatusFound))

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

// dated says in Date what the sandbox's clock tells.
func (s *Sandbox) dated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.clock.Now().UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}

// knownHosts refuses requests for hosts that are not served here: a page of another site can make its
// own name point to this machine, but not the Host header say otherwise (DNS rebinding).
func (s *Sandbox) knownHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostname(r)
		if !isLoopback(host) && !slices.Contains(s.hosts, host) {
			http.Error(w, "The sandbox does not serve this host: use its loopback address.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname is what the Host header names, without the port.
func hostname(r *http.Request) string {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// isLoopback reports whether host names this machine. Names below localhost never leave it (RFC 6761 §6.3).
func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func listenLoopback(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("sandbox: address %q: %w", addr, err)
	}
	if !isLoopback(host) {
		return nil, fmt.Errorf("sandbox: address %q is not a loopback address: the sandbox must not be reached from other machines, use 127.0.0.1", addr)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return l, nil
}

// tlsConfig has a certificate of the sandbox's own authority.
func (s *Sandbox) tlsConfig(ctx context.Context) (*tls.Config, error) {
	if err := s.loadCA(ctx); err != nil {
		return nil, err
	}
	cert, err := s.ca.Certificate(slices.Concat(s.hosts, []string{"localhost", "127.0.0.1", "::1"})...)
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, err
}

// loadCA reads the authority for the hosts of this sandbox, which is made if there is none yet.
func (s *Sandbox) loadCA(ctx context.Context) error {
	name := "ca " + strings.Join(s.hosts, " ")
	return s.store.Update(ctx, func(tx *store.Tx) error {
		text, err := tx.Meta(name)
		if !errors.Is(err, store.ErrNotFound) {
			if err == nil {
				s.ca, err = tlsca.Parse(text)
			}
			return err
		}
		if s.ca, err = tlsca.New(slices.Concat(s.hosts, []string{"localhost"})...); err != nil {
			return err
		}
		if text, err = s.ca.Marshal(); err != nil {
			return err
		}
		return tx.SetMeta(name, text)
	})
}

func (s *Sandbox) serve(l net.Listener, handler http.Handler) {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		// Handshakes that fail because the authority is not trusted yet are no news.
		ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}
	s.servers = append(s.servers, server)
	s.serving.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.logger.Error("sandbox: a listener failed", "error", err)
		}
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

// awsHosts are the host names under which AWS serves what the sandbox serves.
func awsHosts(c userpool.Config, domain string) []string {
	hosts := []string{c.APIHost(), "issuer-" + c.APIHost(), "cognito-identity." + c.Region + "." + c.DNSSuffix()}
	if u, err := url.Parse("https://" + domain); err == nil && u.Hostname() != "" {
		hosts = append(hosts, strings.ToLower(u.Hostname()))
	}
	return hosts
}
