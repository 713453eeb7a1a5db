// Package awsjson serves APIs in AWS's JSON 1.1 protocol (smithy.io, "AWS JSON
// 1.1 protocol"), as Amazon Cognito does. Every operation is a POST to /. The
// header X-Amz-Target names it. The bodies of request and answer are JSON.
//
// It refuses unknown operations and logs a warning, so that
// a test does not pass on an answer that AWS would not give.
package awsjson
