package awsapi

import (
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/amplify-go/amplify"
)

// Error translates err, which a call of an AWS service returned, into the names of Amplify JS: the
// code that the service sent, "NetworkError" if no complete answer arrived, "Unknown" if the answer
// did not come from the service. Failures that may be temporary have the reason
// [amplify.ReasonServiceUnavailable].
func Error(err error) *amplify.Error {
	e := &amplify.Error{Err: err}
	status := 0
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		status, e.RequestID = response.HTTPStatusCode(), response.ServiceRequestID()
	}
	var api smithy.APIError
	var incomplete *answerError
	var garbled *smithy.DeserializationError
	switch {
	case errors.As(err, &api):
		e.Name, e.Message = api.ErrorCode(), api.ErrorMessage()
	case errors.As(err, &incomplete):
		e.Name, e.Message = "NetworkError", "A network error has occurred."
		e.Reason, e.Err = amplify.ReasonServiceUnavailable, incomplete
	case errors.As(err, &garbled):
		e.Name, e.Message = "Unknown", "An unknown error has occurred."
		// The error itself holds a part of the body, which may hold tokens. Its cause does not.
		e.Err = garbled.Err
	case status == 0:
		e.Name, e.Message = "NetworkError", "A network error has occurred."
		e.Reason = amplify.ReasonServiceUnavailable
	default:
		e.Name, e.Message = "Unknown", "An unknown error has occurred."
	}
	if status >= 500 || Throttled(err) {
		e.Reason = amplify.ReasonServiceUnavailable
	}
	return e
}

// Throttled reports whether err, which a call of an AWS service returned, says that there were too
// many calls.
func Throttled(err error) bool {
	var response *awshttp.ResponseError
	return errors.As(err, &response) && response.HTTPStatusCode() == http.StatusTooManyRequests ||
		throttlingCodes.IsErrorThrottle(err) == aws.TrueTernary
}

// throttlingCodes are the error codes by which AWS services throttle. Cognito sends them with
// status 400.
var throttlingCodes = retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
