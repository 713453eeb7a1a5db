// Package awsapi holds what the clients of all AWS services in this module share: common settings,
// the place where an App keeps the clients, one retry policy, the credentials of a request, and the
// translation of errors into [amplify.Error].
//
// It imports no client of a service. Each client is made where it is used, so that a program
// contains only the clients of the packages that it imports.
package awsapi
