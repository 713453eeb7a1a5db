package amplifyfiber

import (
	"context"
	"net/http"
	"sync"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/flow"
)

// Options are the settings of a [ServerRunner]. The zero value reads sessions that Amplify JS keeps
// in the browser (ssr: true) on AWS.
type Options = flow.Options

// CookieOptions are the attributes of the session's cookies that may be chosen.
type CookieOptions = flow.CookieOptions

// AuthRoutesOptions are the settings of [ServerRunner.AuthRoutes].
type AuthRoutesOptions = flow.RoutesOptions

// ForwardOptions say what [ServerRunner.ForwardSession] passes on.
type ForwardOptions = flow.ForwardOptions

// Page is what a page of this library says, and the data of [Options.PageTemplate].
type Page = flow.Page

// SignInLink describes a link to managed login: see [ServerRunner.SignInURL].
type SignInLink = flow.SignInLink

// ServerRunner runs Amplify's APIs on behalf of the users whose requests a server gets. It is made
// once and shared. It is immutable and safe for concurrent use. A process may hold several.
//
// It corresponds to what createServerRunner of adapter-nextjs returns.
type ServerRunner struct {
	flow       *flow.Runner
	readBuffer sync.Once // checks its size
}

// NewServerRunner returns a ServerRunner for the backend that cfg describes. It reports every fault
// of cfg and o at once: see [amplify.ConfigErrors].
func NewServerRunner(cfg amplify.Config, o Options) (*ServerRunner, error) {
	r, err := flow.New(cfg, o)
	if err != nil {
		return nil, err
	}
	return &ServerRunner{flow: r}, nil
}

// App returns the App of the runner.
func (s *ServerRunner) App() *amplify.App { return s.flow.App() }

// Client returns the source of the runner's sessions.
func (s *ServerRunner) Client() *cognito.Client { return s.flow.Client() }

// WarmUp fetches the keys of the user pool, so that the first request need not wait for them. A
// server may call it before it listens. It may go on after an error: keys are fetched again when
// they are needed.
func (s *ServerRunner) WarmUp(ctx context.Context) error { return s.flow.WarmUp(ctx) }

// Close ends what the runner started. Requests that are under way may fail.
func (s *ServerRunner) Close(ctx context.Context) error { return s.flow.Close(ctx) }

// SignInURL returns the link from the page that c asks for to managed login. Users come back to
// where they wanted to go when they were sent to the page (its query parameter return_to), else to
// link.ReturnTo, else to the page.
//
// It is empty if the configuration has no redirect URL that leads to the auth routes.
func (s *ServerRunner) SignInURL(c fiber.Ctx, link SignInLink) string {
	return s.exchangeOf(c).SignInURL(s.current(c), link)
}

// Middleware gives the context of every request, c.Context(), a server context: Amplify's APIs,
// called with it in the handlers that follow, act as the user who sent the request.
//
// Refreshed tokens are put into the response when the handlers have returned. The server context is
// closed when the response has been sent: see "Streams" in the package documentation.
func (s *ServerRunner) Middleware(c fiber.Ctx) error {
	return s.serve(c, s.current(c), func(*flow.Exchange) error { return c.Next() })
}

// Protect refuses, with 403, requests that change something (any method but GET, HEAD and OPTIONS)
// and that a browser sends on behalf of another origin. Sessions in cookies need it wherever forms
// are accepted: SameSite alone does not keep out sites on the same domain.
//
// The rule is that of [http.CrossOriginProtection], with the runner's origin, which a proxy may
// hide from the Host header.
func (s *ServerRunner) Protect(c fiber.Ctx) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions: // most requests
		return c.Next()
	}
	if refused := s.flow.Protect(withHeader(s.current(c), c)); refused != nil {
		return write(c, refused)
	}
	return c.Next()
}

// ForwardSession puts the session of c into the cookies of out, a request to another server of the
// same app client. It is for proxies, where out may be c.Request() itself, and for calls of one's
// own services: a proxy that passes the browser's cookies on passes tokens that have expired, and a
// refresh token that has been redeemed.
//
// The session is refreshed first if that is due, and the refreshed cookies go to the browser, too.
// Elsewhere than below [ServerRunner.Middleware] nothing is refreshed that would be lost.
//
// out gets no cookie of this app client but those of the session that has verified. If there is
// none, ForwardSession returns why, and out is a request of somebody who is not signed in. It may
// be sent nevertheless.
func (s *ServerRunner) ForwardSession(c fiber.Ctx, out *fasthttp.Request, o ForwardOptions) error {
	header := http.Header{}
	for key, value := range out.Header.All() {
		if string(key) == fiber.HeaderCookie {
			header.Add(fiber.HeaderCookie, string(value))
		}
	}
	err := s.exchangeOf(c).Forward(c.Context(), header, o)
	out.Header.DelAllCookies()
	for _, line := range header[fiber.HeaderCookie] {
		out.Header.Add(fiber.HeaderCookie, line)
	}
	return err
}

// AuthRoutes returns the handler for signing in and out through Cognito's managed login. The last
// segment of the path says what to do, so that it can be mounted anywhere, as
// app.All("/api/auth/*", routes) for instance:
//
//   - sign-in, sign-up: to managed login. Query parameters: provider (Google, Facebook, Amazon,
//     Apple or the name of another), lang, login_hint, and return_to, a path of this application to
//     come back to.
//   - sign-in-callback: where Cognito sends users back. Their tokens are verified and become
//     cookies.
//   - sign-out: out of managed login. With global=true on all devices. Links of other sites, and
//     those with global=true that are not the application's own, get a page that asks the user.
//   - sign-out-callback: where Cognito sends users back. Their tokens are revoked and the cookies
//     deleted.
//   - signed-out: a page that says that the user is signed out, or was not signed in, and leads
//     back to sign-in. It is for RedirectOnSignOutComplete.
//
// The addresses of the two callbacks must be among the redirect URLs of the app client, in the
// configuration and in Cognito. Each route answers GET only. Prefetching has no effect, nor has
// embedding a route into a page of another site.
//
// AuthRoutes reports every fault of the configuration and of o at once: see [amplify.ConfigErrors].
func (s *ServerRunner) AuthRoutes(o AuthRoutesOptions) (fiber.Handler, error) {
	routes, err := s.flow.Routes(o)
	if err != nil {
		return nil, err
	}
	return func(c fiber.Ctx) error {
		r := s.current(c)
		return s.serve(c, r, func(x *flow.Exchange) error {
			return write(c, routes.Answer(x, withHeader(r, c)))
		})
	}, nil
}
