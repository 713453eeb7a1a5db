// Package amplifyhttp gives net/http servers what Amplify's Next.js adapter gives Node servers: every request
// can call Amplify's APIs as the user who sent it, from the same cookies that Amplify JS
// writes in the browser, and users can sign in and out on the server, without a token
// ever reaching a script.
//
//	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{Origin: "https://myapp.com"})
//	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{RedirectOnSignInComplete: "/home"})
//	signedIn := runner.RequireUser(amplifyhttp.Guard{SignIn: "/sign-in"})
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
// A [ServerRunner] is made once and shared. [ServerRunner.Middleware] costs next to nothing on requests
// that call no Amplify API: nothing is read before it is asked for.
//
// # Cookies
//
// With an origin configured the server alone signs users in: cookies are HttpOnly, SameSite=Strict unless
// [CookieOptions] says otherwise, Secure if the origin is https, and only the four of a session
// are written. Without an origin the cookies are left as Amplify JS needs them: readable by scripts,
// SameSite=Lax, Secure.
//
// Refreshed tokens travel back in the response. They are put in place when its final
// header is written, whoever writes it: the handler, a flush, a hijack, or nobody. Responses that a session was
// read for are not cached unless the handler says so; responses that change a session never are.
package amplifyhttp
