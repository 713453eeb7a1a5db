// Package awsapi holds what every caller of an AWS service in this module shares: clients
// that an App keeps for all its requests, one retry policy, and the translation of what a call
// returned into [amplify.Error].
package awsapi
