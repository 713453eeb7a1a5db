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

// Error translates err, which a call of an AWS service returned, under the names of Amplify JS: the
// code that the service sent, "NetworkError" where no answer came, "Unknown" where the answer was no
// answer of the service. What may pass by itself has [amplify.ReasonServiceUnavailable].
func Error(err error) *amplify.Error {
	e := &amplify.Error{Err: err}
	status := 0
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		status, e.RequestID = response.HTTPStatusCode(), response.ServiceRequestID()
	}
	var api smithy.APIError
	var garbled *smithy.DeserializationError
	switch {
	case errors.As(err, &api):
		e.Name, e.Message = api.ErrorCode(), api.ErrorMessage()
	case errors.As(err, &garbled):
		e.Name, e.Message = "Unknown", "An unknown error has occurred."
		// The error holds a piece of the body, which may hold tokens.
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

// Throttled reports whether err, which a call of an AWS service returned, says that there were too many calls.
func Throttled(err error) bool {
	var response *awshttp.ResponseError
	return errors.As(err, &response) && response.HTTPStatusCode() == http.StatusTooManyRequests ||
		throttled.IsErrorThrottle(err) == aws.TrueTernary
}

// throttled knows the codes by which AWS services say "not so fast"; Cognito sends them with status 400.
var throttled = retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
