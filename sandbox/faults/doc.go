// Package faults makes a backend fail on purpose: it delays answers, throttles calls,
// answers server errors, and breaks connections before or after a call has its effect, or in the
// middle of a body.
//
// A [Set] examines every call to a sandbox before the sandbox does. Each
// call has a name: "InitiateAuth", "GetId", "jwks.json", "/oauth2/token"
// … A fault that is given to [Set.Add] strikes from the next call on:
//
//	add := sb.Faults().Add
//	// A refresh loses its answer, once.
//	add(faults.Fault{Operation: "GetTokensFromRefreshToken", Outcome: faults.DropAfter, Count: 1})
//	// The key set has an outage.
//	add(faults.Fault{Operation: "jwks.json", Outcome: faults.HTML503})
//	// Everything is slow.
//	add(faults.Fault{Latency: 20 * time.Millisecond})
//	// Three calls in ten are too many.
//	add(faults.Fault{Outcome: faults.Throttle, Probability: 0.3})
package faults
