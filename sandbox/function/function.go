// Package function describes the functions of Go that stand for the Lambda functions behind a Data
// API: those that answer custom queries and mutations, and the authorizer of the mode AWS_LAMBDA.
package function

import (
	"context"
	"time"
)

// Handler answers a custom query or mutation. The value that it returns must encode to JSON, which
// becomes the value of the field. Of an error the caller gets the text, with errorType
// "Lambda:Unhandled".
//
// A Handler must be safe for concurrent use. The rules of the operation have let the caller in.
// After 30 seconds, or when the caller of a query has gone, ctx ends and the answer is not waited
// for. A mutation goes on without its caller. A panic is an error, which the sandbox logs. At most
// 100 calls of one Handler run at once, those included that nobody waits for any more; further ones
// wait.
type Handler func(ctx context.Context, e Event) (any, error)

// Event is what a [Handler] is asked. Its JSON has the names of the event of Amplify's functions.
type Event struct {
	// TypeName is "Query", "Mutation" or "Subscription", and FieldName the name of the operation.
	TypeName  string `json:"typeName"`
	FieldName string `json:"fieldName"`
	// Arguments are those of the operation, as JSON has them; integers are int64. An AWSJSON
	// is the value that its text holds.
	Arguments map[string]any `json:"arguments"`
	// Identity is the caller's. It is nil for callers with an API key.
	Identity *Identity `json:"identity"`
}

// Identity is who calls. Which fields it has depends on the mode of authorization (AppSync
// Developer Guide, "Resolver mapping template context reference", Identity).
type Identity struct {
	// Sub, Issuer and Claims are from a token of the user pool or of an OIDC provider. Numbers in
	// claims are float64.
	Sub    string         `json:"sub,omitempty"`
	Issuer string         `json:"issuer,omitempty"`
	Claims map[string]any `json:"claims,omitempty"`
	// Username is the user's in the user pool, or names the principal of IAM.
	Username string `json:"username,omitempty"`
	// Groups are the user's in the user pool.
	Groups []string `json:"groups,omitempty"`

	// AccountID and UserARN are those of a caller with AWS credentials.
	AccountID string `json:"accountId,omitempty"`
	UserARN   string `json:"userArn,omitempty"`
	// The identity, for credentials of an identity pool. CognitoIdentityAuthType is "authenticated"
	// or "unauthenticated".
	CognitoIdentityPoolID       string `json:"cognitoIdentityPoolId,omitempty"`
	CognitoIdentityID           string `json:"cognitoIdentityId,omitempty"`
	CognitoIdentityAuthType     string `json:"cognitoIdentityAuthType,omitempty"`
	CognitoIdentityAuthProvider string `json:"cognitoIdentityAuthProvider,omitempty"`

	// ResolverContext is from the authorizer.
	ResolverContext map[string]any `json:"resolverContext,omitempty"`
}

// Authorizer decides whether a caller with a token that is neither one of the user pool nor a
// signature may call the API. As in AWS, its answer is kept, and serves further requests with the
// same token whatever they ask for: see [AuthorizerResponse.TTL]. An error, a panic, and no answer
// within 10 seconds refuse the caller, and are not kept. It must be safe for concurrent use.
type Authorizer func(ctx context.Context, r AuthorizerRequest) (AuthorizerResponse, error)

// AuthorizerRequest is what an [Authorizer] is asked.
type AuthorizerRequest struct {
	// Token is the header Authorization.
	Token string
	// QueryString, OperationName and Variables are those of the request. For a connection for
	// subscriptions the first is empty, and the second "deepdish:connect".
	QueryString, OperationName string
	Variables                  map[string]any
}

// AuthorizerResponse is the answer of an [Authorizer].
type AuthorizerResponse struct {
	IsAuthorized bool
	// ResolverContext is for the functions behind custom operations.
	ResolverContext map[string]any
	// DeniedFields are the fields that the caller does not get, such as "Note.text".
	DeniedFields []string
	// TTL is for how long the answer is kept, at most an hour. Zero means what the API has, and a
	// negative value means not at all. A Lambda function calls it ttlOverride, in seconds.
	TTL time.Duration
}
