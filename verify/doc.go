// Package verify tells who sent a request from nothing but the request and the keys of the user
// pool. It is for programs that must be small or may call nobody: WebAssembly at the edge of a
// network, a proxy, a plug-in. It imports neither net/http nor the packages that reach AWS.
//
//	v, err := verify.New(verify.Options{UserPoolID: poolID, ClientID: clientID, Keys: jwks})
//	session, err := v.Session(cookieHeader)
//
// The rules are those of package cognito, which does more: it fetches keys, refreshes expired
// sessions, gets AWS credentials, remembers what it has verified, and knows who has signed out.
// Here a session that its user has signed out of counts until its tokens expire, an hour later by
// default.
package verify
