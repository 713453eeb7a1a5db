// Package idp serves a user pool by HTTP as Amazon Cognito does:
// the user pools API, the key set and the OpenID configuration.
//
// Requests and answers of all operations follow the API Reference of Amazon Cognito user pools.
// Choice-based sign-in (USER_AUTH) offers passwords alone.
package idp
