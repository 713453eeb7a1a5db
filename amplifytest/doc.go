// Package amplifytest is a Cognito user pool inside a test: applications that use package
// amplifyhttp, or flow, are tested with it, as any user and without network.
//
//	func TestNotes(t *testing.T) {
//		pool := amplifytest.New(t, amplifytest.Options{})
//		app := newApp(t, pool.Config(), pool.Options()) // your own
//
//		r := httptest.NewRequest(http.MethodGet, "/notes", nil)
//		pool.SignIn(r, amplifytest.User{Name: "ann", Groups: []string{"editors"}})
//		w := httptest.NewRecorder()
//		app.ServeHTTP(w, r)
//		...
//	}
//
// The application gets its configuration and its options from the pool. From then on everything in
// it is real: the tokens are signed by the pool's keys, and the application verifies, refreshes and
// revokes them as it does with Cognito. The pool answers in the process.
//
//   - [Pool.SignIn] and [Pool.Authorize] make a request that of a user, by cookies or by a bearer
//     token. A [Flaw] makes the session an expired, revoked, forged or foreign one.
//   - [Pool.Advance] moves the time on, [Pool.SetOutage] lets Cognito fail, and [Pool.Calls] tells
//     what it was asked.
//   - [Pool.Browser] signs a user in and out through the routes of the application.
//   - [Cookies] makes cookies of tokens, for tests with a real browser or a real server.
//
// The identity pool gives AWS credentials that are complete and worth nothing.
//
// docs/testing.md is a guide.
//
// # Safety
//
// A pool signs anybody in, and must never serve a real application. It is made with the
// [testing.TB] of a test, and [New] panics in programs that are not test binaries. The keys are
// made in the process, and all pools of the process share them.
package amplifytest
