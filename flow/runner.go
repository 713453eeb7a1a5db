package flow

import (
	"context"
	"errors"
	"net/http"
	"path"
	"sync"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/loglimit"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

// Runner holds what all requests of a server share. It is immutable and safe for concurrent use. A
// process may hold several.
type Runner struct {
	app        *amplify.App
	client     *cognito.Client
	origin     origin
	base       string // Options.BasePath
	cookies    cookie.Options
	insecure   bool // cookies are without Secure for requests under a loopback name
	bearer     bool
	session    string // what the keys of the session's cookies begin with; "" without a user pool
	routes     string // the folder of the auth routes as browsers see it, such as "/api/auth/"; "" if the configuration has none
	pages      *pages
	protection *http.CrossOriginProtection
	logs       loglimit.Limit
	otherNames sync.Once // the first one is logged
}

// New returns a Runner for the backend that cfg describes. It reports every fault of cfg and o at
// once: see [amplify.ConfigErrors].
func New(cfg amplify.Config, o Options) (*Runner, error) {
	own, cookies, faults := o.resolve()
	app, err := amplify.New(cfg, o.App)
	faults = append(faults, faultsOf("Options.App", err)...)
	faults = append(faults, faultsOf("Options.Cognito", o.Cognito.Validate(cfg))...)
	pages, fault := newPages(o.PageTemplate)
	if fault != nil {
		faults = append(faults, fault)
	}
	var client *cognito.Client
	if len(faults) == 0 {
		client, err = cognito.New(app, o.Cognito)
		faults = faultsOf("Options.Cognito", err)
	}
	if err := amplify.NewConfigError(faults...); err != nil {
		if app != nil {
			_ = app.Close(context.Background()) // it has not started anything
		}
		return nil, err
	}
	r := &Runner{
		app: app, client: client, origin: own, base: o.BasePath, cookies: cookies, insecure: o.Cookies.Insecure, bearer: o.Bearer,
		pages: pages, protection: http.NewCrossOriginProtection(),
	}
	if cfg.Auth != nil && cfg.Auth.UserPoolClientID != "" {
		r.session = sessionkey.Prefix(cfg.Auth.UserPoolClientID)
	}
	if cfg.Auth != nil && cfg.Auth.OAuth != nil {
		if u, fault := own.callback(o.BasePath, "RedirectSignIn", routeSignInCallback, cfg.Auth.OAuth.RedirectSignIn); fault == nil {
			r.routes, _ = path.Split(u.EscapedPath())
		}
	}
	if own != "" {
		if err := r.protection.AddTrustedOrigin(string(own)); err != nil {
			return nil, errors.Join(err, r.Close(context.Background())) // parseOrigin is stricter
		}
	}
	if own.insecure() {
		app.Logger().Warn("HTTP origin detected. This is insecure and should only be used for local development.",
			"origin", string(own))
	}
	return r, nil
}

// App returns the App of the runner.
func (r *Runner) App() *amplify.App { return r.app }

// Client returns the source of the runner's sessions.
func (r *Runner) Client() *cognito.Client { return r.client }

// WarmUp fetches the keys of the user pool, so that the first request need not wait for them. A
// server may call it before it listens. It may go on after an error: keys are fetched again when
// they are needed.
func (r *Runner) WarmUp(ctx context.Context) error { return r.client.WarmUp(ctx) }

// Close ends what the runner started. Requests that are under way may fail.
func (r *Runner) Close(ctx context.Context) error {
	return errors.Join(r.client.Close(ctx), r.app.Close(ctx))
}

// RunAsGuest runs operation with the context of a guest: for pages that are the same for all users.
// The context ends with the operation.
func (r *Runner) RunAsGuest(ctx context.Context, operation func(context.Context) error) error {
	ctx, done := amplify.WithServerContext(ctx, r.app, r.GuestProviders())
	defer done()
	return operation(ctx)
}

// GuestProviders returns the providers of a server context that belongs to no request.
func (r *Runner) GuestProviders() amplify.Providers {
	return amplify.Providers{Credentials: r.client.GuestCredentialsProvider()}
}

// Protect returns the answer to a request that changes something (any method but GET, HEAD and
// OPTIONS) and that a browser sends on behalf of another origin. It returns nil for other requests.
//
// The rule is that of [http.CrossOriginProtection], which learns the runner's origin here: behind a
// proxy it cannot be told from r.Host.
func (r *Runner) Protect(request *http.Request) *Response {
	switch {
	case r.protection.Check(request) == nil:
		return nil
	case isNavigation(request):
		return r.page(request, Page{
			Name: "not-allowed", Status: http.StatusForbidden, Title: "Not allowed",
			Text: "Another site has sent you here with a form. Nothing was changed.",
			Link: r.prefix(request) + "/", LinkText: "Home",
		})
	}
	return failure(http.StatusForbidden, &amplify.Error{Name: "CrossOriginRequestException"})
}
