// Package sandbox is an Amplify backend in one process, for development and tests: an Amazon Cognito user pool
// with its JSON API, managed login and key set, an identity pool, an inbox for the messages that the user pool would send,
// and a console.
//
// [Start] takes an existing amplify_outputs.json, so that an application meets its own pool, client, password
// policy and groups, or makes one. [Sandbox.Outputs] is that file with the sandbox's address in it. Everything is in
// memory unless [Config.DataDir] says where to keep it.
//
// # Going wrong on purpose
//
// [Sandbox.Faults], [Sandbox.SetClockOffset] and [Sandbox.RotateKeys] show what an application does when its backend has a bad
// day, and [Sandbox.Calls] what it asked meanwhile. The console has a page of them, and programs in other languages have:
//
//	GET    /admin/faults       {"faults": […], "operations": […], "outcomes": […]}
//	POST   /admin/faults       {"operation": "GetId", "outcome": "throttle", "latency": "20ms", "probability": 0.3, "count": 5}
//	DELETE /admin/faults       ends all faults; /admin/faults/{id} ends one
//	GET    /admin/calls        {"counts": {"GetId": 2, …}}
//	DELETE /admin/calls        counts from zero again
//	GET    /admin/clock        {"offset": "0s", "now": "2026-01-02T15:04:05Z"}
//	PUT    /admin/clock        {"offset": "-10m"}
//	POST   /admin/keys/rotate
//
// Every field of a fault may be left out but one of outcome and latency; see [faults.Fault]. An error is {"error": "…"}.
// Whoever reaches the sandbox may call this API, but no page of another origin can.
//
// # Safety
//
// The sandbox listens on loopback addresses only, and is no place for real passwords: anybody on the
// machine can read its inbox.
package sandbox
