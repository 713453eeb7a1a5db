// Package doctor says why a request is signed in or is not, and what is wrong with the
// configuration behind it: step by step, what is there, what is valid, and what to do.
//
//	report := doctor.Examine(ctx, cfg, doctor.Input{Header: r.Header, Options: options})
//	fmt.Print(report)
//
// The verdict on a session is that of package cognito, and the verdict on settings that of package
// amplifyhttp: both are asked, not imitated. The command "amplify-go doctor" prints the same
// report.
//
// A report holds no token, no cookie value and no name of a user. It does tell about the
// configuration, which is nothing for the public: a page that shows reports belongs behind a guard.
package doctor
