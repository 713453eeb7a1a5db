// Package userpool is an Amazon Cognito user pool without HTTP: sign-up,
// sign-in, tokens and their keys, groups, password policy, and codes.
//
// A [Pool] keeps its data in a [store.Store]. Its methods fail with an
// [*Error], which has the name and the message of Cognito's exception. The
// JSON API, managed login and the console each show it in their own way.
//
// The behaviour follows the Amazon Cognito Developer Guide
// and the API Reference of Amazon Cognito user pools.
package userpool
