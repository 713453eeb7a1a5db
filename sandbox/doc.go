// Package sandbox runs an Amplify backend in one process, for development and
// tests. Applications sign users up and in without AWS, and without a network.
//
// It serves an Amazon Cognito user pool with its JSON API, managed login and key set, an
// identity pool, S3, the GraphQL API of a data schema, an inbox with the messages that the user
// pool would send, and a console, in which you create and change users and groups.
//
// [Start] takes an existing amplify_outputs.json, so that an application
// finds its own pool, app client, password policy and groups. Without one,
// it makes a pool. [Sandbox.Outputs] is that file with the sandbox's address
// in it. Everything is in memory unless [Config.DataDir] names a directory.
// [Config.KeyFile] keeps the signing keys alone, so that a restart leaves
// the users of the configuration signed in.
//
// The APIs have the operations that applications, servers and scripts call: sign-up, sign-in and
// self-service; administration of users and groups; and descriptions of the pools, which only their
// configuration changes. Other operations answer UnknownOperationException, and the console lists
// these calls as "not in the sandbox".
//
// # What Amplify deploys
//
// What outputs do not tell is as Amplify's defineAuth deploys it:
//
//   - App clients sign users in by SRP, as Amplify JS does. [Client.AuthFlows] allows other flows,
//     such as those with a password in clear, which AdminInitiateAuth has as well.
//   - The e-mail address or phone number that a user signs in with stays until the new one is
//     verified. Codes for a forgotten password go to the e-mail address, unless users sign in by
//     phone number alone.
//   - An ID token opens the identity pool until it expires. [Config.ServerSideTokenCheck] makes it
//     end with its session.
//
// The sandbox lacks a second factor, sign-in without a password (passkeys and codes), and the
// implicit grant. Outputs that demand the first are an error of [Start]. If sign-in works without
// what outputs ask for, Start logs a warning.
//
// # Storage
//
// S3 has the buckets of the section storage of the outputs. It takes the credentials of the
// identity pool, and lets users, groups and guests do what storage.buckets[].paths says, as the
// policies do that Amplify deploys. Buckets without such rules have those of Gen 1: public/,
// protected/ and private/. The owner of all buckets is the account 000000000000. Objects have no
// versions, locks or ACLs. [Config.StorageAdmin] gives a key to fill buckets with; to that, the
// rules do not apply.
//
// Without a data directory, all objects together may have 1 GiB.
//
// # Data
//
// AppSync has the API that Amplify makes of a data schema, [Data.Schema], and answers as the
// resolvers do that Amplify generates: rules of models and fields, relations, indexes, conditions,
// pages and errors. All modes of authorization are verified. Functions of Go answer the custom
// queries and mutations ([Data.Functions]) and stand for the Lambda authorizer
// ([Data.Authorizer]); see the package function. Programs of other languages answer by HTTP.
//
// Tokens are verified by the keys of who issued them. AppSync does not learn of the end of a
// session: after a sign-out, even a global one, its tokens are good until they expire.
//
// If the outputs have no model introspection, which clients know the models by, the sandbox makes it
// of the schema. Without the schema, the API is that of the model introspection in the outputs, and
// is closed where the introspection does not tell the rules: it does not have all of them.
//
// Subscriptions go over AppSync's realtime protocol, by WebSocket: with TLS under AWS's name, and at
// the loopback address, which custom.amplify_go.endpoints has as realtime. A subscriber gets what
// the mutation selected, filtered by the rules. Connections end after a day, and when the sandbox is
// closed. A subscription outlives the token that it was started with: AppSync documents no other
// end.
//
// # Tokens
//
// If the user pool has a pre token generation Lambda trigger, [Config.PreToken] does in the sandbox
// what the trigger does there: it adds, overrides and suppresses claims of both tokens, replaces
// groups and roles, and changes scopes. See the package pretoken.
//
// # Limits
//
// The sandbox has the limits that Cognito documents for each user. After five wrong passwords a
// user is locked out for a second, and for twice as long after each further one, up to 15 minutes.
// Calls that send or check codes, and those of ChangePassword, are limited to 5 or 15 an hour.
// The time is that of the sandbox's clock: [Sandbox.SetClockOffset] passes it.
//
// # Machine tokens
//
// A client with [Client.ClientCredentials] gets access tokens for itself from the token endpoint.
// Its scopes are those of [Config.ResourceServers]. Users can get such scopes at managed login,
// too, if the client that they sign in to has them.
//
// # Differences from Cognito
//
//   - An authorization code that is used twice ends the session that the first use began, as
//     RFC 6749 §4.1.2 advises. Cognito documents only that the second use fails.
//   - Choice-based sign-in (the flow USER_AUTH) offers the password, in clear or by SRP, and takes
//     the Session of ConfirmSignUp. It has no codes and no passkeys.
//   - Temporary passwords do not expire.
//   - An invitation goes to the address that codes go to, unless AdminCreateUser has
//     DesiredDeliveryMediums. With Cognito it goes to the phone number.
//   - The parameter idp_identifier knows only [Config.ProviderIdentifiers], because outputs do not
//     tell the identifiers of the user pool.
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
// the user pool, managed login, the identity pool, S3 and AppSync. As with AWS, pages of any
// origin may call those; operations of administrators are closed to all pages, and the
// administrator's key of S3 works on the loopback address alone. Pages among the objects
// run in no browser as pages of the sandbox's origin: their answers say that they are sandboxed.
//
// The data directory and the key file hold private keys. Only their owner can read them.
package sandbox
