// Package sandbox runs an Amplify backend in one process, for development and
// tests. Applications sign users up and in without AWS, and without a network.
//
// It serves an Amazon Cognito user pool with its JSON API, managed login and key set, an
// identity pool, S3, an inbox with the messages that the user pool would send, and a console.
//
// [Start] takes an existing amplify_outputs.json, so that an application
// finds its own pool, app client, password policy and groups. Without one,
// it makes a pool. [Sandbox.Outputs] is that file with the sandbox's address
// in it. Everything is in memory unless [Config.DataDir] names a directory.
//
// The APIs have the operations that applications, servers and scripts call: sign-up, sign-in and
// self-service; administration of users and groups; and descriptions of the pools, which only their
// configuration changes. Other operations answer UnknownOperationException, and the console lists
// these calls as "not in the sandbox".
//
// # Storage
//
// S3 has the buckets of the section storage of the outputs. It takes the credentials of the identity
// pool, and lets users, groups and guests do what storage.buckets[].paths says, as the policies do that
// Amplify deploys. Buckets without such rules have those of Gen 1: public/, protected/ and private/.
// The owner of all buckets is the account 000000000000. Objects have no versions, locks or ACLs.
// [Config.StorageAdmin] gives a key to fill buckets with; to that, the rules do not apply.
//
// Without a data directory, all objects together may have 1 GiB.
//
// # Tokens
//
// If the user pool has a pre token generation Lambda trigger, [Config.PreToken] does in the sandbox
// what the trigger does there: it adds, overrides and suppresses claims of both tokens, replaces
// groups and roles, and changes scopes. See the package pretoken.
//
// # Faults
//
// [Sandbox.Faults], [Sandbox.SetClockOffset] and [Sandbox.RotateKeys] make the backend
// fail on purpose. [Sandbox.Calls] counts what the application asked meanwhile. The
// console has a page for all of this, and programs in other languages have an HTTP API:
//
//	GET    /admin/faults       {"faults": […], "operations": […], "outcomes": […]}
//	POST   /admin/faults       {"operation": "GetId", "outcome": "throttle", "latency": "20ms",
//	                            "probability": 0.3, "count": 5}
//	DELETE /admin/faults       ends all faults; /admin/faults/{id} ends one
//	GET    /admin/calls        {"counts": {"GetId": 2, …}}
//	DELETE /admin/calls        sets the counters to zero
//	GET    /admin/clock        {"offset": "0s", "now": "2026-01-02T15:04:05Z"}
//	PUT    /admin/clock        {"offset": "-10m"}
//	POST   /admin/keys/rotate
//
// A fault needs an outcome or a latency; its other fields are optional.
// See [faults.Fault]. The body of an error is {"error": "…"}.
//
// # Safety
//
// The sandbox is no place for real passwords. Every program on the
// machine can read its inbox and use its console and its admin API.
//
// Other machines and web pages cannot. The sandbox listens on loopback addresses
// only. The console, the inbox and the admin API answer only if the Host is
// localhost, a name below localhost, or a loopback address. They change nothing for
// a page of another origin. AWS's host names and the domain of managed login reach
// the user pool, managed login, the identity pool and S3. As with AWS, pages of any
// origin may call those; operations of administrators are closed to all pages, and the
// administrator's key of S3 works on the loopback address alone. Pages among the objects
// run in no browser as pages of the sandbox's origin: their answers say that they are sandboxed.
//
// The data directory holds private keys. Its files are readable to their owner alone.
package sandbox
