// Package auth answers who sent a request: [GetCurrentUser], [FetchAuthSession] and
// [FetchUserAttributes], with the names and results of the functions of the same names in
// aws-amplify/auth/server.
//
// They take the context of a request and find the server context in it, which a runner's middleware or
// [amplify.RunWithServerContext] has put there. Where the tokens come from is the server context's business: this package
// works with any [amplify.TokenProvider].
//
//	func home(w http.ResponseWriter, r *http.Request) {
//		user, err := auth.GetCurrentUser(r.Context())
//		if errors.Is(err, amplify.ErrUnauthenticated) {
//			http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
//			return
//		}
//		…
//	}
package auth
