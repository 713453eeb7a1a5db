// Package faults makes a backend fail on purpose: late answers, throttling, server errors, and connections that
// break before or after the effect of a call.
//
// A [Set] stands before all calls of a sandbox, which names each of them: "InitiateAuth", "GetId", "jwks.json",
// "/oauth2/token" …  What [Set.Add] is given strikes from the next call on:
//
//	sb.Faults().Add(faults.Fault{Operation: "GetTokensFromRefreshToken", Outcome: faults.DropAfter, Count: 1})
//	sb.Faults().Add(faults.Fault{Operation: "jwks.json", Outcome: faults.HTML503}) // an outage of the key set
//	sb.Faults().Add(faults.Fault{Latency: 20 * time.Millisecond})                  // everything is slow
//	sb.Faults().Add(faults.Fault{Outcome: faults.Throttle, Probability: 0.3})      // and three calls in ten are too many
package faults
