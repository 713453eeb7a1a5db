// Package amplifyhttp lets net/http servers call Amplify's APIs as the user who sent a request,
// from the same cookies that Amplify JS writes in the browser, and sign users in and out without a
// token ever reaching a script. It is what Amplify's Next.js adapter is for Node servers.
//
//	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{Origin: "https://myapp.com"})
//	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{RedirectOnSignInComplete: "/home"})
//	signedIn, err := runner.RequireUser(amplifyhttp.Guard{SignIn: "/sign-in"})
//
//	mux.Handle("/api/auth/", routes)                         // sign-in, sign-up, sign-out and their callbacks
//	mux.Handle("/home", signedIn(http.HandlerFunc(home)))    // sends others to /sign-in
//	http.ListenAndServe(":3000", runner.Middleware(mux))     // r.Context() now acts as the request's user
//
//	func home(w http.ResponseWriter, r *http.Request) {
//		user, err := auth.GetCurrentUser(r.Context())
//		...
//	}
//
// A [ServerRunner] is made once and shared. [ServerRunner.Middleware] costs next to nothing on
// requests that call no Amplify API: nothing is read before it is asked for.
//
// # Cookies
//
// With an origin configured the server alone signs users in: cookies are HttpOnly, SameSite=Strict
// unless [CookieOptions] says otherwise, Secure if the origin is https, and only the four of a
// session are written. Without an origin the cookies are left as Amplify JS needs them: readable by
// scripts, SameSite=Lax, Secure.
//
// Refreshed tokens travel back in the response. They are put in place when its final header is
// written: by the handler, by a flush, by a hijack, or when the handler returns.
//
// A handler that upgrades to a WebSocket asks who is there first, and passes the header on that the
// refreshed cookies are in: upgrader.Upgrade(w, r, w.Header()) with github.com/gorilla/websocket.
//
// Browsers keep the cookies of each host name apart. A sign-in or sign-out that begins under
// another name than the origin's is logged once. It is sent to the origin if both are loopback
// names, or if they differ by a "www." in front.
//
// # Prefixes
//
// Browsers may see an application below a prefix that its handlers do not see: to these,
// https://myapp.com/app/notes is /notes. There are two kinds of prefixes, which may come together:
//
//   - What a proxy takes off never reaches the process. It is said by BasePath of [Options].
//   - What [http.StripPrefix] takes off in front of [ServerRunner.Middleware] is told from the
//     request. What is taken off behind Middleware belongs to the application. Without Middleware,
//     the outermost guard or the auth routes stand in its place; the folder of the auth routes alone
//     is no prefix.
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
package amplifyhttp
