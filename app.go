package amplify

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"sync"
	"time"
)

// App is one configured Amplify application: a long-lived value that a process
// makes once and every request shares. A process may hold many, for many user
// pools or tenants; they share nothing. An App is safe for concurrent use.
type App struct {
	config  Config
	options Options

	mu     sync.Mutex
	closed bool
	shared map[reflect.Type]*sharedValue
	opened []any // values of shared in the order they were built
}

// Options are the settings of an App that do not come from the backend's outputs.
// The zero value is right for a server on AWS.
type Options struct {
	// HTTPClient makes all calls to AWS. The default is a client of the App's own
	// with connection and answer time-outs of 10 seconds.
	HTTPClient *http.Client
	// Logger gets what operators should know: keys that cannot be fetched, refused
	// refreshes, failed revocations. It never gets a secret. The default is [slog.Default].
	Logger *slog.Logger
	// Clock tells the time. The default is [time.Now].
	Clock func() time.Time
	// Endpoints replaces the addresses of AWS services, for local backends and
	// private endpoints. Fields left empty are taken from the configuration's
	// custom.amplify_go.endpoints, then from the environment, then are AWS's own.
	Endpoints Endpoints
}

// New returns an App. It reports every fault of cfg at once.
func New(cfg Config, o Options) (*App, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if o.HTTPClient == nil {
		o.HTTPClient = newHTTPClient()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	var err error
	if o.Endpoints, err = o.Endpoints.resolve(cfg); err != nil {
		return nil, err
	}
	return &App{config: cfg, options: o, shared: map[reflect.Type]*sharedValue{}}, nil
}

// Config returns the configuration. The caller must not change what it points to.
func (a *App) Config() Config { return a.config }

// HTTPClient returns the client that makes all calls to AWS.
func (a *App) HTTPClient() *http.Client { return a.options.HTTPClient }

// Logger returns the logger.
func (a *App) Logger() *slog.Logger { return a.options.Logger }

// Now tells the time by the App's clock.
func (a *App) Now() time.Time { return a.options.Clock() }

// Endpoints returns the addresses of AWS services, resolved: no field is empty
// that the configuration needs.
func (a *App) Endpoints() Endpoints { return a.options.Endpoints }

// Close ends what the App started, in reverse order. Requests that are under way
// may fail; server contexts made afterwards have no service to call.
// Close may be called more than once.
func (a *App) Close(ctx context.Context) error {
	a.mu.Lock()
	a.closed = true
	opened := a.opened
	a.opened = nil
	a.mu.Unlock()
	var errs []error
	for i := len(opened) - 1; i >= 0; i-- {
		if c, ok := opened[i].(interface{ Close(context.Context) error }); ok {
			errs = append(errs, c.Close(ctx))
		}
	}
	a.options.HTTPClient.CloseIdleConnections()
	return errors.Join(errs...)
}

type sharedValue struct {
	once  sync.Once
	value any
	err   error
}

// Shared returns the value of type T that app keeps for all its requests, and builds it
// when it is first asked for. The packages of this module keep their service clients there,
// each under an unexported type of its own. If the value has a method
// Close(context.Context) error, the App's Close calls it.
func Shared[T any](app *App, build func(*App) (T, error)) (T, error) {
	t := reflect.TypeFor[T]()
	app.mu.Lock()
	if app.closed {
		app.mu.Unlock()
		var zero T
		return zero, &Error{Name: "AmplifyClosedError", Reason: ReasonConfiguration, Message: "The App has been closed."}
	}
	s := app.shared[t]
	if s == nil {
		s = &sharedValue{}
		app.shared[t] = s
	}
	app.mu.Unlock()
	s.once.Do(func() {
		s.value, s.err = build(app)
		if s.err == nil {
			app.mu.Lock()
			app.opened = append(app.opened, s.value)
			app.mu.Unlock()
		}
	})
	v, _ := s.value.(T)
	return v, s.err
}
