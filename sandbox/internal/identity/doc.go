// Package identity is an Amazon Cognito identity pool. It gives each user of
// a user pool, and each guest, an identity and temporary AWS credentials.
//
// A [Pool] works without HTTP. [Pool.API] is its JSON 1.1 API. A server that verifies Signature
// Version 4 can accept the pool's credentials: [Pool.Lookup] returns the secret of an access key.
//
// The behaviour follows the Amazon Cognito Developer Guide ("Identity pools authentication
// flow", "Using role-based access control") and the API Reference of Amazon Cognito identity
// pools. The messages of errors are those that users of the service have quoted in public.
package identity
