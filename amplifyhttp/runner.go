package amplifyhttp

import (
	"context"
	"errors"
	"net/http"
	"path"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie"
)

// ServerRunner runs Amplify's APIs on behalf of the users whose requests a server gets. It is made once and
// shared; it is immutable and safe for concurrent use. A process may hold several.
//
// It corresponds to what createServerRunner of adapter-nextjs returns.
type ServerRunner struct {
	app     *amplify.App
	cognito *cognito.Client
	origin  origin
	cookies cookie.Options
	bearer  bool
	// routes is the folder of the auth routes as the configuration has it, such as "/api/auth/"; or empty.
	routes string
	secret amplify.Secret
	pages  *pages
}

// NewServerRunner returns a ServerRunner for the backend that cfg describes. It reports every fault of
// cfg and o at once.
func NewServerRunner(cfg amplify.Config, o Options) (*ServerRunner, error) {
	own, cookies, err := o.resolve(cfg)
	app, appErr := amplify.New(cfg, o.App)
	if appErr != nil {
		return nil, errors.Join(err, appErr)
	}
	c, cognitoErr := cognito.New(app, o.Cognito)
	if err := errors.Join(err, cognitoErr); err != nil {
		if c != nil {
			err = errors.Join(err, c.Close(context.Background()))
		}
		return nil, errors.Join(err, app.Close(context.Background()))
	}
	s := &ServerRunner{app: app, cognito: c, origin: own, cookies: cookies, bearer: o.Bearer, secret: o.Cognito.ClientSecret, pages: newPages()}
	if cfg.Auth != nil {
		if cfg.Auth.OAuth != nil {
			if u, err := own.redirect("redirectSignIn", cfg.Auth.OAuth.RedirectSignIn); err == nil {
				s.routes, _ = path.Split(u.Path)
			}
		}
	}
	if own.insecure() {
		app.Logger().Warn("HTTP origin detected. This is insecure and should only be used for local development.", "origin", string(own))
	}
	return s, nil
}

// WarmUp fetches the keys of the user pool, so that the first request need not wait for them. A server may
// call it before it listens; an error need not keep it from starting.
func (s *ServerRunner) WarmUp(ctx context.Context) error { return s.cognito.WarmUp(ctx) }

// Close ends what the runner started. Requests that are under way may fail.
func (s *ServerRunner) Close(ctx context.Context) error {
	return errors.Join(s.cognito.Close(ctx), s.app.Close(ctx))
}

// Middleware gives the context of every request a server context: Amplify's APIs, called with it below next,
// act as the user who sent the request. The server context is closed when next returns.
//
// It wraps the response writer in order to send refreshed tokens back in time; flushing, hijacking,
// deadlines and [io.ReaderFrom] keep working.
func (s *ServerRunner) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serve(next, w, r)
	})
}

// serve calls next with a writer and a context of the request's exchange, which it makes where
// Middleware has not.
func (s *ServerRunner) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	x := s.exchangeOf(r)
	if x != nil {
		if server, err := amplify.FromContext(r.Context()); err == nil && server.App() != s.app {
			// Another runner's middleware came in between.
			ctx, done := amplify.WithServerContext(r.Context(), s.app, amplify.Providers{Tokens: x, Credentials: x})
			defer done()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
		return
	}
	x = s.newExchange(w, r, true)
	ctx, done := amplify.WithServerContext(&x.context, s.app, amplify.Providers{Tokens: x, Credentials: x})
	x.request = r.WithContext(ctx)
	// Not recovered: a panic is the server's business. Whoever answers it finds the cookies in place.
	defer func() {
		done()
		x.commit(w.Header())
	}()
	next.ServeHTTP(&x.writer, x.request)
}
