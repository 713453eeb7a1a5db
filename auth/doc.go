// Package auth tells who sent a request. [GetCurrentUser], [FetchAuthSession] and
// [FetchUserAttributes] have the names and results of the functions in aws-amplify/auth/server.
//
// They take the context of a request, which must carry a server context. The middleware of a runner
// or [amplify.RunWithServerContext] adds one. This package works with any [amplify.TokenProvider].
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
