// Package sandbox is an Amplify backend in one process, for development and tests: an Amazon Cognito user pool
// with its JSON API, managed login and key set, an inbox for the messages that it would send, and a console.
//
// [Start] takes an existing amplify_outputs.json, so that an application meets its own pool, client, password
// policy and groups, or makes one. [Sandbox.Outputs] is that file with the sandbox's address in it. Everything is in
// memory unless [Config.DataDir] says where to keep it.
//
// The sandbox listens on loopback addresses only, and is no place for real passwords: anybody on the
// machine can read its inbox.
package sandbox
