// Package doctor says why a request is signed in or is not, and what is wrong with the
// configuration behind it: step by step, what is there, what is valid, and what to do.
//
//	report := doctor.Examine(ctx, cfg, doctor.Input{
//		Requests: []*http.Request{r}, Options: options,
//	})
//	fmt.Print(report)
//
// The verdict on a session is that of package cognito, and the verdict on settings that of package
// amplifyhttp: both are asked, not imitated. Cognito is asked by calls that have no effect: whether
// the app client and the identity pool exist, and where managed login sends a browser that the auth
// routes lead to it. The command "amplify-go doctor" prints the same report.
//
// A report holds no token and no cookie value. Where cookies of a session are missing it has their
// names, of which the user's name is a part. It tells about the configuration, which is nothing for
// the public: a page that shows reports belongs behind a guard.
package doctor
