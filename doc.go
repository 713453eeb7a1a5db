// Package amplify is AWS Amplify for Go servers: what aws-amplify/adapter-core is for Node.js.
//
// It holds what all else is built on: the configuration, the [App], and the server context in which
// the APIs of packages auth, storage and data act as the user who sent a request. Web
// servers on net/http use package amplifyhttp, which puts one around each request.
// This package is for other frameworks, and for sources of tokens of one's own.
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
// A server context belongs to one operation of one request. When the operation has returned, every use of
// it gets [ErrServerContextClosed], also by goroutines that were left behind and by calls that
// were under way: no request ever sees what belongs to another.
//
// # Errors
//
// Errors are of type [*Error]. They have the names that the Amplify documentation uses, and a [Reason]:
// "not signed in" alone helps nobody. Tokens and keys are of types ([Token], [Secret]) that no
// logger, encoder or dumper can look into.
package amplify
