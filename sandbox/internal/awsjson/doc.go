// Package awsjson serves APIs in AWS's JSON 1.1 protocol (smithy.io, "AWS JSON 1.1 protocol"), as Amazon Cognito
// speaks it: every operation is a POST to /, X-Amz-Target names it, and body and answer are JSON.
//
// An operation that is not known is refused loudly, so that nobody builds upon an answer that AWS would not give.
package awsjson
