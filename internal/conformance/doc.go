// Package conformance runs the recorded behaviour of the JavaScript packages
// (testdata/conformance, described by its README files) as tests. Only tests import it.
//
// A test names a file, the rules of its exceptions, and a function that judges one case:
//
//	func TestConformanceSession(t *testing.T) {
//		keys := conformance.NewKeys(t)
//		conformance.Run(t, "session.json", exceptions, func(t *testing.T, c conformance.Case) error {
//			var in sessionInput
//			tokens, err := keys.Mint(c, time.Now())
//			...
//			tokens.Fill(c.Input, &in)   // placeholders become tokens
//			upstream := conformance.NewUpstream(keys, in.Upstream)
//			... run; then compare with c.Expected
//			return conformance.Diff(c.Expected, tokens.Blank(got))
//		})
//	}
//
// Exceptions are rules, predicates on the form of a case with the reason why we differ, so that
// other cases of the same form are judged alike.
//
// AMPLIFY_CONFORMANCE_DIR names another folder of cases to run instead of testdata/conformance. Of
// the repository's own folder every case is known, so there a rule that takes no case, and a rule
// that takes a case which would pass, are failures. Of another folder nothing is known: there, such
// rules are only counted.
//
// AMPLIFY_CONFORMANCE_MUTATE=N tests the tests: what each case expects is changed in N places, one
// at a time, and each change that goes unnoticed is printed, with the share of those that were
// noticed. AMPLIFY_CONFORMANCE_SEED chooses other changes.
//
//	AMPLIFY_CONFORMANCE_MUTATE=1 go test ./auth -run TestConformance -v | grep mutant
//
// With N=5 and seed 7, of a hundred changes these were noticed: cookie-names and browser-set-cookie
// 100, errors 97, oauth-state 97, auth-routes 96, config 96, origins 95, session 92, browser-cookies
// 88. What goes unnoticed is what a rule says that we answer otherwise, and what no request carries.
package conformance
