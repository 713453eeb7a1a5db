// Package identity is what an Amazon Cognito identity pool does: it gives each user of a user pool, and each
// guest, an identity of their own and temporary AWS credentials.
//
// A [Pool] is the pool itself, free of HTTP; [Pool.API] is its JSON 1.1 API. Its credentials are real to whoever asks
// [Pool.Lookup] for the secret of an access key in order to verify a Signature Version 4.
//
// The behaviour follows the Amazon Cognito Developer Guide ("Identity pools authentication flow", "Using role-based
// access control") and the API Reference of Amazon Cognito identity pools; the messages of its errors are
// those that users of the service have quoted in public.
package identity
