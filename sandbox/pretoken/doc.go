// Package pretoken changes the tokens of a sandbox before they are issued. It does for the sandbox
// what the pre token generation Lambda trigger does for a user pool of Amazon Cognito.
//
// Give a [Hook] to the sandbox as Config.PreToken. The sandbox calls it once whenever it issues
// tokens: at each sign-in, at each refresh, and for each machine token.
//
//	hook := func(_ context.Context, e pretoken.Event) (pretoken.Response, error) {
//		tenant := map[string]any{"tenant": e.UserAttributes["custom:tenant"]}
//		return pretoken.Response{
//			IDToken:     pretoken.Claims{Add: tenant},
//			AccessToken: pretoken.Claims{Add: tenant},
//			AddScopes:   []string{"photos/read"},
//		}, nil
//	}
//
// [Parse] reads a response from a file, in the JSON that Lambda functions return. [Response.Hook]
// makes a hook of it.
//
// # Event versions
//
// A user pool sends events of one version to its function. The version limits what the function can
// change. A [Response] is that of version V2_0 or V3_0. If your user pool sends V1_0, set nothing
// but [Response.IDToken], with texts as values, and [Response.Groups]. [Parse] knows the version
// from the JSON and checks this. Events of V3_0 are those of V2_0 and of machine tokens. If your
// user pool sends another version, return an empty response for [ClientCredentials]: Cognito does
// not ask the function there.
//
// # What stays as it is
//
// Cognito does not let a function change every claim. The sandbox leaves the following as they are,
// and logs a warning with their names:
//
//   - the claims acr, amr, at_hash, aud, auth_time, azp, client_id, device_key, event_id, exp, iat,
//     identities, iss, jti, nbf, nonce, origin_jti, sub, token_use, username and version, except
//     that the app client's id may be added to an access token as aud
//   - claims that start with "cognito:": see [Response.Groups]. To suppress "cognito:groups" is
//     possible; in an ID token that suppresses the claims of roles, too
//   - the claim scope: see [Response.AddScopes]. Scopes that contain white space cannot be added
//   - claims that start with "dev:", which can be suppressed but not added
//   - objects and arrays as phone_number_verified, email_verified, updated_at and address of an ID
//     token
//
// The source of all of this is the Amazon Cognito Developer Guide, "Pre token generation Lambda
// trigger". The sandbox differs in two points. It never adds scopes that start with "aws.cognito",
// which give access to the user pool itself. And after a sign-in at managed login it calls the hook
// when the application exchanges the code.
package pretoken
