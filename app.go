package amplify

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"sync"
	"time"
)

// App is one configured Amplify application: a long-lived value that a process makes once and that
// every request shares. A process may hold several, for several user pools or tenants. Apps share
// nothing. An App is safe for concurrent use.
type App struct {
	config    Config
	options   Options
	ownClient bool

	mu     sync.Mutex
	closed bool
	shared map[reflect.Type]*sharedValue
	opened []any // values of shared in the order they were built
}

// Options are the settings of an App that do not come from the backend's outputs. The zero value is
// right for a server on AWS.
type Options struct {
	// HTTPClient makes all calls to AWS. The App uses a copy of it that does not follow redirects,
	// since a request that is repeated at another address takes its tokens there. The default is a
	// client of the App's own, which gives up after 5 seconds without a connection and after 40
	// seconds without an answer. Under GOOS=js, where the host opens connections, it gives up if an
	// answer is not complete after 40 seconds. Most calls have a shorter limit of their own.
	HTTPClient *http.Client
	// Logger gets what operators should know: keys that cannot be fetched, refused refreshes,
	// failed revocations. It gets no secrets. The default is [slog.Default].
	Logger *slog.Logger
	// Clock tells the time. The default is [time.Now].
	Clock func() time.Time
	// Endpoints replaces the addresses of AWS services, for local backends and private endpoints.
	// [Endpoints] says where the value of an empty field comes from.
	Endpoints Endpoints
}

// New returns an App. It reports every fault of cfg and o at once; see [ConfigErrors].
func New(cfg Config, o Options) (*App, error) {
	a := &App{config: cfg, options: o, shared: map[reflect.Type]*sharedValue{}}
	found := cfg.faults()
	endpoints, more := o.Endpoints.resolve(cfg, os.Getenv)
	if err := append(found, more...).err(); err != nil {
		return nil, err
	}
	a.options.Endpoints = endpoints
	if o.HTTPClient == nil {
		a.options.HTTPClient, a.ownClient = newHTTPClient(), true
	} else {
		a.options.HTTPClient = withoutRedirects(o.HTTPClient)
	}
	if o.Logger == nil {
		a.options.Logger = slog.Default()
	}
	if o.Clock == nil {
		a.options.Clock = time.Now
	}
	if isNewer(cfg.version) {
		a.Logger().Warn("the outputs have a newer version than this library knows: what it has added is ignored",
			"version", cfg.version, "known", newestOutputs)
	}
	return a, nil
}

// Config returns the configuration. The caller must not change what it points to.
func (a *App) Config() Config { return a.config }

// HTTPClient returns the client that makes all calls to AWS. It does not follow redirects.
func (a *App) HTTPClient() *http.Client { return a.options.HTTPClient }

// Logger returns the logger.
func (a *App) Logger() *slog.Logger { return a.options.Logger }

// Now tells the time by the App's clock. It has no monotonic reading, which may stand still while a
// laptop sleeps or a Lambda function is frozen: what is remembered for a minute would be good for
// hours.
func (a *App) Now() time.Time { return a.options.Clock().Round(0) }

// Endpoints returns the addresses of the AWS services that the configuration needs. UserPoolKeys
// and Storage may be empty, and so are those of what the backend lacks; see [Endpoints].
func (a *App) Endpoints() Endpoints { return a.options.Endpoints }

// Close closes the values that [Shared] has built, the last one first. Calls that are under way may
// fail, and every later call of Shared does. Close may be called more than once.
func (a *App) Close(ctx context.Context) error {
	a.mu.Lock()
	a.closed = true
	opened := a.opened
	a.opened = nil
	a.mu.Unlock()
	var errs []error
	for i := len(opened) - 1; i >= 0; i-- {
		errs = append(errs, closeShared(ctx, opened[i]))
	}
	if a.ownClient {
		a.options.HTTPClient.CloseIdleConnections()
	}
	return errors.Join(errs...)
}

func closeShared(ctx context.Context, v any) error {
	if c, ok := v.(interface{ Close(context.Context) error }); ok {
		return c.Close(ctx)
	}
	return nil
}

// errAppClosed returns the error for uses of an App that has been closed.
func errAppClosed() error {
	return &Error{
		Name: "AmplifyClosedError", Reason: ReasonConfiguration,
		Message: "The App has been closed.",
		RecoverySuggestion: "Close an App, or the runner that holds it, after the server has stopped " +
			"taking requests.",
	}
}

type sharedValue struct {
	once  sync.Once
	value any
	err   error
}

// Shared returns the value of type T that app keeps for all its requests. The first call builds it.
// If that fails, every later call returns the same error. The packages of this module keep their
// service clients there, each under an unexported type of its own. If the value has a method
// Close(context.Context) error, the App's Close calls it.
//
// build may call Shared for other types.
func Shared[T any](app *App, build func(*App) (T, error)) (T, error) {
	var zero T
	t := reflect.TypeFor[T]()
	app.mu.Lock()
	if app.closed {
		app.mu.Unlock()
		return zero, errAppClosed()
	}
	s := app.shared[t]
	if s == nil {
		s = &sharedValue{}
		app.shared[t] = s
	}
	app.mu.Unlock()

	s.once.Do(func() {
		// If build panics, later callers get this error.
		s.err = &Error{
			Name: "AmplifyError", Reason: ReasonConfiguration,
			Message: "A service client could not be built.",
		}
		v, err := build(app)
		if err == nil {
			err = app.keep(v)
		}
		if s.err = err; err == nil {
			s.value = v
		}
	})
	if s.err != nil {
		return zero, s.err
	}
	v, _ := s.value.(T)
	return v, nil
}

// keep makes Close close v. If the App was closed while v was built, keep closes v itself.
func (a *App) keep(v any) error {
	a.mu.Lock()
	if !a.closed {
		a.opened = append(a.opened, v)
		a.mu.Unlock()
		return nil
	}
	a.mu.Unlock()
	return errors.Join(errAppClosed(), closeShared(context.Background(), v))
}
