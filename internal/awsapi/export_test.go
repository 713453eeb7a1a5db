package awsapi

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// The limits, for tests.
const (
	MaxAnswer      = maxAnswer
	AttemptTimeout = attemptTimeout
)

// Limit returns client with other limits.
func Limit(client aws.HTTPClient, size int64, timeout time.Duration) aws.HTTPClient {
	return &limited{client, size, timeout}
}
