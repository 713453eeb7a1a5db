package appsync

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/graphql"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/scalars"
)

const (
	// maxBody is how large a request may be.
	maxBody = 1 << 20
	// maxDuration is how long a request may take (AppSync Developer Guide, "GraphQL API limits").
	maxDuration = 30 * time.Second
)

// Operation is the name of calls of the API.
const Operation = "GraphQL"

// ServeHTTP answers a request for the path /graphql.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Amzn-Requestid", uuid.NewString())
	allowOrigin(header)
	if r.Method == http.MethodOptions {
		preflight(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxDuration)
	defer cancel()
	response, err := a.serve(ctx, w, r)
	var refused *refusal
	switch {
	case err == nil:
		write(w, http.StatusOK, response)
	case errors.As(err, &refused):
		Fail(w, refused.status, refused.errorType, refused.message)
	case errors.Is(err, context.Canceled): // the caller has gone
		panic(http.ErrAbortHandler)
	default:
		a.cfg.Logger.ErrorContext(ctx, "sandbox: AppSync failed", "error", err)
		Fail(w, http.StatusInternalServerError, "InternalFailure",
			"The sandbox failed; its log says why.")
	}
}

// Fail answers a request that is not looked at.
func Fail(w http.ResponseWriter, status int, errorType, message string) {
	allowOrigin(w.Header())
	w.Header().Set("X-Amzn-Errortype", errorType)
	write(w, status, failure(errorType, message))
}

// failure is the body of the answer to a request that is not looked at.
func failure(errorType, message string) graphql.Object {
	return graphql.Object{{Name: "errors", Value: []any{graphql.Object{
		{Name: "errorType", Value: errorType}, {Name: "message", Value: message}}}}}
}

func write(w http.ResponseWriter, status int, answer json.Marshaler) {
	text, err := answer.MarshalJSON()
	if err != nil {
		status, text = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(maxDuration))
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// serve answers a request. The error is a refusal, or that of the server.
func (a *API) serve(ctx context.Context, w http.ResponseWriter, r *http.Request) (
	*graphql.Response, error) {
	if r.Method != http.MethodPost {
		return nil, &refusal{http.StatusMethodNotAllowed, "BadRequestException",
			"The sandbox answers POST only."}
	}
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	request, badBody := parseRequest(body)
	caller, err := a.authenticate(ctx, r, body, request)
	if err != nil {
		return nil, err
	}
	if badBody != nil {
		return nil, badBody
	}
	return a.execute(ctx, caller, request)
}

// readBody reads the body of a request. It waits no longer for it than a request may take.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	connection := http.NewResponseController(w)
	// A writer of a test may have no deadlines.
	_ = connection.SetReadDeadline(time.Now().Add(maxDuration))
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, malformed("Unable to read the request.")
	case len(body) > maxBody:
		return nil, &refusal{http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException",
			"Request body is too large."}
	}
	_ = connection.SetReadDeadline(time.Time{}) // the server goes on reading, to notice a hang-up
	return body, nil
}

func malformed(message string) error {
	return &refusal{http.StatusBadRequest, "MalformedHttpRequestException", message}
}

// parseRequest reads the body of a request.
func parseRequest(body []byte) (q graphql.Request, err error) {
	if len(body) == 0 {
		return q, malformed("Request body is empty.")
	}
	v, err := scalars.ParseJSON(string(body))
	members, ok := v.(map[string]any)
	if err != nil || !ok {
		return q, malformed("Unable to parse GraphQL query.")
	}
	q.Document, ok = members["query"].(string)
	if !ok {
		return q, malformed("Unable to parse GraphQL query.")
	}
	q.OperationName, _ = members["operationName"].(string)
	q.Variables, ok = members["variables"].(map[string]any)
	if !ok && members["variables"] != nil {
		return q, malformed("Unable to parse GraphQL query.")
	}
	return q, nil
}

// allowOrigin allows pages of any origin to read the answer, as AppSync does.
func allowOrigin(header http.Header) {
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Expose-Headers", "x-amzn-RequestId,x-amzn-ErrorType,"+
		"x-amz-user-agent,x-amzn-ErrorMessage,Date,x-amz-schema-version")
}

// preflight answers the CORS preflight (Fetch standard).
func preflight(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Access-Control-Allow-Methods", "POST,OPTIONS")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		header.Set("Access-Control-Allow-Headers", asked)
	}
	header.Set("Access-Control-Max-Age", "172800")
	header.Add("Vary", "Access-Control-Request-Headers")
	w.WriteHeader(http.StatusOK)
}
