package sandbox

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/amplify-go/amplify/sandbox/faults"
	"github.com/amplify-go/amplify/sandbox/internal/appsync"
	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
	"github.com/amplify-go/amplify/sandbox/internal/calls"
	"github.com/amplify-go/amplify/sandbox/internal/clock"
	"github.com/amplify-go/amplify/sandbox/internal/console"
	"github.com/amplify-go/amplify/sandbox/internal/identity"
	"github.com/amplify-go/amplify/sandbox/internal/idp"
	"github.com/amplify-go/amplify/sandbox/internal/login"
	"github.com/amplify-go/amplify/sandbox/internal/s3"
	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/tlsca"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
	"github.com/amplify-go/amplify/sandbox/pretoken"
)

// Config configures a sandbox. The zero value gives a user
// pool of the sandbox's own, in memory, on a free port.
type Config struct {
	// Outputs is an amplify_outputs.json of Gen 2, of version 1 or 1.x. The sandbox takes from
	// it the ids, app client, domain, password policy, groups, and buckets with their access
	// rules. Of an amplifyconfiguration.json of Gen 1 it makes outputs of Gen 2, and says so in
	// the log. If Outputs is empty, the sandbox makes a user pool and a bucket. A data directory
	// remembers them. Outputs that demand multi-factor authentication are an error.
	Outputs []byte
	// DataDir is the directory for the data. It is created
	// if necessary. If it is empty, the data is in memory.
	DataDir string
	// Addr is the address to serve HTTP at. The default
	// is "127.0.0.1:0". It must be a loopback address.
	Addr string
	// TLSAddr is the address to serve the same by TLS, also under the names of
	// AWS's hosts; see [Sandbox.WriteNodeSupport]. If it is empty, there is no TLS.
	TLSAddr string
	// AppOrigins are the origins of applications, such as "http://localhost:3000". Their routes
	// /api/auth/sign-in-callback and /api/auth/sign-out-callback become redirect URIs. If the
	// outputs have no managed login, the sandbox adds it. Its log says what the project has to
	// deploy for that.
	AppOrigins []string
	// Clients changes the app client of the outputs, and adds other app clients.
	Clients []Client
	// ServerSideTokenCheck lets the identity pool accept an ID token only while its session is
	// active, as the setting of that name does in AWS. By default, as with Amplify's backends, an
	// ID token opens the identity pool until it expires, even if its session was revoked, or its
	// user signed out globally or was disabled or deleted.
	ServerSideTokenCheck bool
	// ResourceServers have the custom scopes that app clients may have beside those in the outputs.
	ResourceServers []ResourceServer
	// AliasAttributes are the attributes that users can sign in with beside their username:
	// "email", "phone_number" (each once it is verified) and "preferred_username". Only user pools
	// where users choose a username have them: the outputs must have no username_attributes.
	AliasAttributes []string
	// ProviderIdentifiers are the identifiers of identity providers, by which the parameter
	// idp_identifier of an authorization request chooses one. Each leads to a provider's name, such
	// as "Google" or "LoginWithAmazon". Outputs do not tell them: by default there are none.
	ProviderIdentifiers map[string]string
	// Users are created unless they exist. Without a DataDir they are created at every
	// start. Their subs follow from the id of the user pool and their names, so that a
	// restart does not change them.
	Users []User
	// StorageAdmin asks for a key that may do everything in S3, on the loopback address
	// alone; see [Sandbox.StorageAdmin]. Without it buckets are those of the outputs.
	StorageAdmin bool
	// Data is the GraphQL API. Without a schema here or in the outputs there is none.
	Data Data
	// PreToken changes tokens before they are issued, as the pre token generation Lambda trigger
	// of a user pool does. The default is nil: tokens are those of a user pool without the trigger.
	PreToken pretoken.Hook
	// AccessTokenKey and IDTokenKey sign the tokens of a new user pool.
	// Give both or neither. By default the sandbox generates keys, which
	// takes a second or so. Tests can save that time, and forge tokens.
	AccessTokenKey, IDTokenKey *rsa.PrivateKey
	// KeyFile is the path of a file that keeps the signing keys of a user pool in memory, with
	// mode 0600. With it, tokens from before a restart stay valid until they expire, also those
	// that were revoked. [Config.Users] go on being signed in. Users who signed up are gone, and
	// so are all refresh tokens: a refresh answers NotAuthorizedException, which ends the session.
	//
	// The file must not be a symbolic link. If it has the keys of another user pool, new ones
	// replace them. If it is damaged, [Start] fails. Leave it empty if there is a DataDir, which
	// has the keys itself.
	KeyFile string
	// Logger gets the sandbox's log, which contains no secrets. The default is [slog.Default].
	Logger *slog.Logger
	// Clock returns the time for everything but TLS certificates. The default is [time.Now].
	Clock func() time.Time
	// FaultSeed makes the choice of calls for faults with a
	// probability reproducible. Zero means a random seed.
	FaultSeed uint64
}

// Client is an app client.
type Client struct {
	// ID is the client's; empty means the client of the outputs.
	ID string
	// Secret makes it a confidential client.
	Secret string
	// AuthFlows are the flows in which the user pools API signs users in, by the names of
	// ExplicitAuthFlows: "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH",
	// "ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH" and "ALLOW_USER_AUTH". The
	// default is what Amplify deploys: the first two and, unless refresh tokens rotate, the third.
	// Managed login does not depend on them.
	AuthFlows []string
	// Scopes are the OAuth scopes that it may ask for. The default is those of the outputs. A
	// custom scope is that of a resource server, such as "photos/read".
	Scopes []string
	// ClientCredentials makes it a client of machines: the token endpoint gives it access tokens
	// for itself. It needs an ID of its own, a Secret and Scopes, all of them custom. As with
	// Cognito, it then signs nobody in at managed login.
	ClientCredentials bool
	// RevealUserExistence makes errors tell an unknown user from a wrong password or code: it is
	// Cognito's PreventUserExistenceErrors=LEGACY. By default errors do not reveal who is a user.
	RevealUserExistence bool
	// RotateRefreshTokens limits each refresh token to one use. It
	// still works during RotationGrace (0 to 60 s) after that use.
	RotateRefreshTokens bool
	RotationGrace       time.Duration
	// AccessTokenValidity and IDTokenValidity default to an hour, RefreshTokenValidity to 30 days.
	// Cognito takes 5 minutes to a day, and 60 minutes to 10 years. The sandbox takes shorter
	// ones, for tests. The source is TokenValidityUnitsType in the API Reference.
	AccessTokenValidity, IDTokenValidity, RefreshTokenValidity time.Duration
}

// ResourceServer is an API whose access tokens have scopes of its own.
type ResourceServer struct {
	// Identifier is the first part of its scopes: "photos" in "photos/read".
	Identifier string
	// Scopes are their second parts, such as "read".
	Scopes []string
}

// User is a user who exists from the start, confirmed and with verified addresses.
type User struct {
	// Username is the name that the user signs in with. In some user pools
	// that is an e-mail address or a phone number. The default is Email.
	Username, Email string
	Password        string
	// NewPasswordRequired limits Password to the first
	// sign-in. The user must choose a new password there.
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

	storage      *storage
	storageAdmin StorageKey
	data         *appsync.API // nil if there is none
	dataHost     string       // AWS's name for it

	url, tlsURL string
	servers     []*http.Server
	serving     sync.WaitGroup
}

// Start starts a sandbox, which answers until [Sandbox.Close]. When Start
// returns, the sandbox answers already. ctx bounds the start alone.
func Start(ctx context.Context, cfg Config) (_ *Sandbox, err error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	if cfg.KeyFile != "" && (cfg.DataDir != "" || cfg.AccessTokenKey != nil || cfg.IDTokenKey != nil) {
		return nil, errors.New("sandbox: KeyFile is for data in memory and for keys that the sandbox makes: " +
			"leave out KeyFile, or DataDir, AccessTokenKey and IDTokenKey")
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
	out.auth.warn(cfg.Logger)
	if err := out.addOrigins(cfg.AppOrigins, cfg.Logger); err != nil {
		return nil, err
	}
	poolConfig := out.poolConfig(cfg)
	if s.pool, err = userpool.New(ctx, st, poolConfig); err != nil {
		return nil, err
	}
	for _, u := range cfg.Users {
		sub := ""
		if cfg.DataDir == "" {
			sub = seedSub(poolConfig.ID, u.name())
		}
		if err := s.seed(ctx, u, sub); err != nil {
			return nil, fmt.Errorf("sandbox: user %q: %w", u.name(), err)
		}
	}
	identities, err := out.identityPool(ctx, st, s.pool, cfg.ServerSideTokenCheck)
	if err != nil {
		return nil, err
	}
	if s.storage, err = s.newStorage(ctx, cfg, out, identities); err != nil {
		return nil, err
	}
	if s.data, err = s.newData(ctx, cfg, out, identities); err != nil {
		return nil, err
	}
	s.hosts = append(awsHosts(poolConfig, out.domain()), slices.Sorted(maps.Keys(s.storage.hosts))...)
	if s.dataHost != "" {
		s.hosts = append(s.hosts, s.dataHost)
	}

	listeners, err := s.listen(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if s.outputs, err = out.marshal(s.url, s.data != nil); err != nil {
		return nil, err
	}
	handler := s.handler(out.domain(), identities, cfg.FaultSeed)
	for _, l := range listeners {
		s.serve(l, handler)
	}
	return s, nil
}

// handler returns the handler of all services.
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
	operations = append(operations, s3.Operations()...)
	if s.data != nil {
		operations = append(operations, appsync.Operation)
	}
	slices.Sort(operations)
	s.faults = faults.NewSet(slices.Compact(operations), faultSeed) // both have unknown ones

	mux := http.NewServeMux()
	mux.Handle(apiPattern, api)
	mux.Handle("OPTIONS /{$}", api)
	userPool.Register(mux)
	managedLogin := login.New(login.Config{
		Pool: s.pool, Store: s.store, Logger: s.logger,
		Inbox: s.local("/inbox"), Console: s.local("/console"),
	})
	managedLogin.Register(mux)
	mux.Handle("GET "+ui.AssetPrefix, ui.NewAssets())

	local := http.NewServeMux()
	console.New(console.Config{
		Pool: s.pool, Storage: s.storage.console(), Data: s.data, Calls: s.calls, Faults: s.faults,
		Clock: s.clock, Outputs: s.Outputs, Logger: s.logger,
	}).Register(local)
	s.registerAdmin(local)
	local.Handle("GET /{$}", http.RedirectHandler("/console", http.StatusFound))
	for _, pattern := range []string{"GET /{$}", "/console", "/console/", "/inbox", "/admin/"} {
		mux.Handle(pattern, loopbackOnly(local))
	}

	// Only calls of programs have names. Pages are not counted.
	name := func(r *http.Request) string {
		if s.isGraphQL(r) {
			if r.Method == http.MethodOptions {
				return ""
			}
			return appsync.Operation
		}
		if s.storage.serves(r, mux) {
			if r.Method == http.MethodOptions {
				return ""
			}
			return s.storage.Operation(r)
		}
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
	all := router{s, mux, withNotFound(mux, managedLogin.ServeNotFound)}
	return s.knownHosts(s.withDate(s.calls.Handler(name, s.faults.Handler(name, all))))
}

// withNotFound serves mux, but answers browsers by notFound where mux has no page. Programs get
// the plain answer of mux. So mux needs no pattern for the rest, which would hide its status 405.
func withNotFound(mux *http.ServeMux, notFound http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		isPage := r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html")
		if pattern == "" && isPage {
			notFound(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// local returns a function for the address of a page that only loopback addresses serve.
// A page that r asked for under one of AWS's names must lead back to the loopback address.
func (s *Sandbox) local(path string) func(r *http.Request) string {
	return func(r *http.Request) string {
		if isLoopback(hostname(r)) {
			return path
		}
		return s.url + path
	}
}

// withDate sets the Date header by the sandbox's clock.
func (s *Sandbox) withDate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.clock.Now().UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}

// Close ends the sandbox. It waits for calls in progress until ctx is done,
// and then breaks their connections. It may be called more than once.
func (s *Sandbox) Close(ctx context.Context) error {
	var errs []error
	for _, server := range s.servers {
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, err, server.Close())
		}
	}
	s.serving.Wait()
	if s.storage != nil {
		errs = append(errs, s.storage.objects.Close())
	}
	return errors.Join(append(errs, s.store.Close())...)
}

// URL returns the address for HTTP, such as "http://127.0.0.1:4321".
func (s *Sandbox) URL() string { return s.url }

// TLSURL returns the address for TLS, or "".
func (s *Sandbox) TLSURL() string { return s.tlsURL }

// CACertificate returns the certificate, in PEM, of the authority
// that TLS clients must trust. Without TLS it returns nil.
func (s *Sandbox) CACertificate() []byte {
	if s.ca == nil {
		return nil
	}
	return s.ca.PEM()
}

// Outputs returns an amplify_outputs.json that describes the sandbox. It is a
// plain Gen 2 file. Its member custom.amplify_go.endpoints has the addresses
// of the sandbox. The issuer in tokens is nevertheless that of AWS.
func (s *Sandbox) Outputs() []byte { return slices.Clone(s.outputs) }
