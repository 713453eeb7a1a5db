package cognito

import (
	"context"
	"errors"
	"net"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go/middleware"
)

const (
	// maxUnanswered bounds how many refresh tokens are remembered whose answer did not arrive.
	maxUnanswered = 10_000
	// unansweredAge is how long. A browser that is closed in between comes back later than that.
	unansweredAge = 24 * time.Hour
)

// onUnanswered makes a call of a client tell f about each attempt, retries included, that may have
// had its effect, but whose answer did not arrive.
func onUnanswered(f func()) func(*cognitoidentityprovider.Options) {
	watch := middleware.FinalizeMiddlewareFunc("AmplifyUnanswered", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
		middleware.FinalizeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleFinalize(ctx, in)
		if unanswered(err) {
			f()
		}
		return out, metadata, err
	})
	return cognitoidentityprovider.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(watch, "Retry", middleware.After)
	})
}

// unanswered reports whether a call that failed with err may have had its effect.
func unanswered(err error) bool {
	var connection *net.OpError
	var response *awshttp.ResponseError
	switch {
	case err == nil, errors.As(err, &connection) && connection.Op == "dial": // nothing was sent
		return false
	case errors.As(err, &response):
		// A 5xx may come from a gateway that did not wait for the service. A 200 that failed was
		// cut short.
		status := response.HTTPStatusCode()
		return status < 400 || status >= 500
	}
	return true
}
