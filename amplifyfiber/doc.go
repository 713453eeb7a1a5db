// Package amplifyfiber lets servers on Fiber v3 call Amplify's APIs as the user who sent a request,
// from the same cookies that Amplify JS writes in the browser, and sign users in and out without a
// token ever reaching a script. It is to Fiber what package amplifyhttp is to net/http.
//
//	runner, err := amplifyfiber.NewServerRunner(cfg, amplifyfiber.Options{
//		Origin: "https://myapp.com",
//	})
//	routes, err := runner.AuthRoutes(amplifyfiber.AuthRoutesOptions{
//		RedirectOnSignInComplete: "/home",
//	})
//	signedIn, err := runner.RequireUser(amplifyfiber.Guard{SignIn: "/sign-in"})
//
//	app := fiber.New(fiber.Config{ReadBufferSize: amplifyfiber.ReadBufferSize})
//	app.Use(runner.Middleware)          // c.Context() now acts as the request's user
//	app.All("/api/auth/*", routes)      // sign-in, sign-up, sign-out and their callbacks
//	app.Get("/home", signedIn, home)    // sends others to /sign-in
//
//	func home(c fiber.Ctx) error {
//		user, err := auth.GetCurrentUser(c.Context())
//		...
//	}
//
// A [ServerRunner] is made once and shared. Set [ReadBufferSize]: with Fiber's default, requests of
// signed-in users get status 431.
//
// # Contexts
//
// Amplify's APIs take c.Context(), and not c itself. A fiber.Ctx belongs to another request as soon
// as this one has been answered, so that what still holds it, a goroutine of a handler or of an
// HTTP client, would act as another user. c.Context() is this request's for good.
//
// For the same reason call c.Context() in the handler, and not in a goroutine that it leaves
// behind. Nothing of a request that this package keeps shares memory with Fiber, whether or not
// [fiber.Config.Immutable] is set.
//
// # Streams
//
// Fiber sends the header when all handlers have returned. Refreshed tokens are put into it when
// Middleware, or the outermost guard or auth route, returns: errors and panics of handlers do not
// keep them from it. An [fiber.ErrorHandler] runs later. It still learns who the user is, and must
// not reset the response.
//
// The server context lives until the response has been sent. So the function of c.SendStreamWriter,
// for Server-Sent Events for instance, acts as the user for as long as it streams, by the
// c.Context() that the handler has taken for it. It sets no cookies: when the session has to be
// refreshed, it gets [amplify.ReasonRefreshNeedsWritableResponse]. Let the stream end then. The
// browser's EventSource asks again, and that request refreshes the session. A handler that streams
// therefore asks for the user before it begins.
//
// The same holds for WebSockets: the context lives as long as the connection.
//
// # Order
//
// A guard in front of a whole application is put there by app.Use("/*", guard): see Guard.Except.
//
// A cache that is shared by users belongs in front of [ServerRunner.Middleware]: there it sees what
// the response depends on. A cache behind Middleware sees that responses to requests with a session
// are private, unless a handler says otherwise.
//
// # Cookies
//
// With an origin configured the server alone signs users in: cookies are HttpOnly, SameSite=Strict
// unless [CookieOptions] says otherwise, Secure if the origin is https, and only the four of a
// session are written. Without an origin the cookies are left as Amplify JS needs them: readable by
// scripts, SameSite=Lax, Secure.
//
// # Prefixes
//
// Browsers may see an application below a prefix that its handlers do not see: to these,
// https://myapp.com/app/notes is /notes. What a proxy takes off is said by BasePath of [Options].
// What a handler in front of Middleware takes off, with c.Path(path), is told from the request.
// Groups and mounted applications take nothing off.
//
// Paths in settings, such as Guard.SignIn, are those of the application: its prefix is put in front
// of them. Paths in requests, such as return_to, and redirect URLs in the configuration are as
// browsers see them: https://myapp.com/app/api/auth/sign-in-callback.
//
// # Caching
//
// Responses that a session was read for are not cached, and those that may turn out to depend on it
// are not shared, unless the handler sets Cache-Control. Responses that change a session are never
// cached, whatever the handler says.
package amplifyfiber
