// Package userpool is what an Amazon Cognito user pool does, free of HTTP: sign-up,
// sign-in, tokens and their keys, groups, password policy, codes.
//
// A [Pool] keeps everything in a [store.Store]. Its methods speak Cognito's language: they fail with
// an [*Error] that has the name and the message of Cognito's own exception, so that the JSON API, managed
// login and the console can each show it in their manner.
//
// The behaviour follows the Amazon Cognito Developer Guide and the API Reference of Amazon Cognito user pools.
package userpool
