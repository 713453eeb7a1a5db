// Package amplify is AWS Amplify for Go servers: what aws-amplify/adapter-core is for Node.js.
//
// It holds what the other packages are built on: the configuration, the [App], and the server
// context, in which the APIs of package auth act as the user who sent a request. Web servers on
// net/http use package amplifyhttp, which makes a server context for each request. Use this package
// directly with other frameworks, or to implement a source of tokens.
//
//	cfg, err := amplify.LoadConfig("amplify_outputs.json")
//	app, err := amplify.New(cfg, amplify.Options{})
//	cog, err := cognito.New(app, cognito.Options{})
//
//	// for each request:
//	kv := cookie.NewKeyValueStorage(store, cookie.Options{})
//	user, err := amplify.RunWithServerContext(ctx, app,
//		amplify.Providers{Tokens: cog.TokenProvider(kv)},
//		func(ctx context.Context) (*auth.User, error) { return auth.GetCurrentUser(ctx) })
//
// # Server contexts
//
// A server context belongs to one operation of one request. After the operation has returned, every
// use of it returns [ErrServerContextClosed]. That includes uses by goroutines that still run, and
// calls that were under way. So no request sees the data of another.
//
// # Errors
//
// Errors are of type [*Error]. Each has the name that the Amplify documentation uses, and a
// [Reason] that says more: a user may not be signed in because there is no session, or because the
// session has expired. Tokens and keys are of the types [Token] and [Secret], which loggers,
// encoders and formatting verbs print as "[redacted]".
package amplify
