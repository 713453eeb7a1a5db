package appsync

import (
	"context"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify/sandbox/function"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/graphql"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/schema"
	"github.com/amplify-go/amplify/sandbox/internal/sigv4"
)

// Caller is who sent a request.
type Caller struct {
	// Identity is what the rules go by.
	Identity schema.Identity
	// Known is what functions are told. It is nil for an API key.
	Known *function.Identity
}

// refusal is the answer to a request that is not looked at.
type refusal struct {
	status             int
	errorType, message string
}

func (r *refusal) Error() string { return r.errorType + ": " + r.message }

func unauthorized(message string) error {
	return &refusal{http.StatusUnauthorized, "UnauthorizedException", message}
}

// Errors of the functions of [Config].
var (
	ErrToken        = unauthorized("Unable to parse JWT token.")
	ErrTokenExpired = unauthorized("Token has expired.")

	ErrCredentials = &refusal{http.StatusForbidden, "UnrecognizedClientException",
		"The security token included in the request is invalid."}
	ErrCredentialsExpired = &refusal{http.StatusForbidden, "ExpiredTokenException",
		"The security token included in the request is expired"}
)

// notAuthorized is the error of callers who show something that is not good here.
var notAuthorized = unauthorized("You are not authorized to make this call.")

// authenticate finds out who sent a request (AppSync Developer Guide, "Configuring authorization").
func (a *API) authenticate(ctx context.Context, r *http.Request, body []byte, q graphql.Request) (
	*Caller, error) {
	token, key := r.Header.Get("Authorization"), r.Header.Get("X-Api-Key")
	switch {
	case len(r.Header["Authorization"]) > 1 || len(r.Header["X-Api-Key"]) > 1:
		return nil, notAuthorized // which one counts is not to be guessed
	case strings.HasPrefix(token, sigv4.Algorithm):
		if !a.Has(schema.IAM) {
			return nil, notAuthorized
		}
		return a.verifySignature(r, body)
	case token != "":
		return a.verifyToken(ctx, token, q)
	case key != "":
		if !a.Has(schema.APIKey) || a.cfg.APIKey == "" ||
			subtle.ConstantTimeCompare([]byte(key), []byte(a.cfg.APIKey)) != 1 {
			return nil, notAuthorized
		}
		return &Caller{Identity: schema.Identity{Provider: schema.APIKey}}, nil
	}
	return nil, unauthorized("Valid authorization header not provided.")
}

// verifyToken returns who has a token: of the user pool or of the OIDC provider if it is a
// JWT, of the authorizer otherwise. A JWT is never shown to the authorizer where the API
// has another mode for it, as AWS has it.
func (a *API) verifyToken(ctx context.Context, token string, q graphql.Request) (*Caller, error) {
	if _, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{}); err == nil {
		tried := error(nil)
		if a.Has(schema.UserPool) {
			claims, err := a.cfg.UserPool(token)
			if err == nil {
				return User(schema.UserPool, claims), nil
			}
			tried = err
		}
		if a.Has(schema.OIDC) && tried != ErrTokenExpired {
			claims, err := a.cfg.OIDC(ctx, token)
			if err == nil {
				return User(schema.OIDC, claims), nil
			}
			tried = err
		}
		if tried != nil {
			return nil, tried
		}
	}
	return a.byAuthorizer(ctx, token, q)
}

// byAuthorizer returns who has a token that the authorizer lets in.
func (a *API) byAuthorizer(ctx context.Context, token string, q graphql.Request) (*Caller, error) {
	if !a.Has(schema.Function) || a.cfg.Authorizer == nil {
		return nil, ErrToken
	}
	answer, err := a.authorizer.ask(ctx, function.AuthorizerRequest{Token: token,
		QueryString: q.Document, OperationName: q.OperationName, Variables: q.Variables})
	if err != nil {
		a.cfg.Logger.WarnContext(ctx, "sandbox: the authorizer failed", "error", err)
	}
	if err != nil || !answer.IsAuthorized {
		return nil, notAuthorized
	}
	caller := &Caller{Identity: schema.Identity{Provider: schema.Function},
		Known: &function.Identity{ResolverContext: answer.ResolverContext}}
	for _, field := range answer.DeniedFields {
		// arn:aws:appsync:us-east-1:111122223333:apis/ID/types/Note/fields/text
		if _, after, found := strings.Cut(field, "/types/"); found {
			field = strings.Replace(after, "/fields/", ".", 1)
		}
		caller.Identity.Denied = append(caller.Identity.Denied, field)
	}
	return caller, nil
}

// User returns the user of a verified token by its claims.
func User(mode schema.Provider, claims map[string]any) *Caller {
	text := func(names ...string) string {
		for _, name := range names {
			if v, ok := claims[name].(string); ok {
				return v
			}
		}
		return ""
	}
	id := &function.Identity{Sub: text("sub"), Issuer: text("iss"), Claims: claims,
		Username: text("username", "cognito:username")}
	groups, _ := claims["cognito:groups"].([]any)
	for _, g := range groups {
		if name, ok := g.(string); ok {
			id.Groups = append(id.Groups, name)
		}
	}
	return &Caller{Identity: schema.Identity{Provider: mode, Claims: claims}, Known: id}
}

// maxSkew is how far the clocks of a client and AppSync may be apart.
const maxSkew = 5 * time.Minute

// service is AppSync's name in signatures.
const service = "appsync"

// verifySignature returns who signed a request (IAM User Guide, "AWS Signature Version 4").
func (a *API) verifySignature(r *http.Request, body []byte) (*Caller, error) {
	incomplete := &refusal{http.StatusForbidden, "IncompleteSignatureException",
		"Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters, " +
			"and the header X-Amz-Date."}
	values := map[string]string{}
	for part := range strings.SplitSeq(
		strings.TrimPrefix(r.Header.Get("Authorization"), sigv4.Algorithm), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		values[name] = value
	}
	credential := strings.Split(values["Credential"], "/")
	headers := strings.Split(values["SignedHeaders"], ";")
	at, err := time.Parse(sigv4.TimeFormat, r.Header.Get("X-Amz-Date"))
	if err != nil || len(credential) != 5 || values["Signature"] == "" {
		return nil, incomplete
	}
	scope := sigv4.Scope{Date: credential[1], Region: credential[2], Service: credential[3]}
	mismatch := &refusal{http.StatusForbidden, "InvalidSignatureException",
		"The request signature we calculated does not match the signature you provided. Check " +
			"your AWS Secret Access Key and signing method. Consult the service documentation " +
			"for details."}
	skew := a.cfg.Clock().Sub(at)
	switch {
	case scope.Region != a.cfg.Region || scope.Service != service ||
		credential[4] != "aws4_request" || scope.Date != at.Format("20060102"):
		return nil, &refusal{http.StatusForbidden, "InvalidSignatureException",
			"Credential should be scoped to a valid region and the service appsync, and to the " +
				"date of the request."}
	case skew > maxSkew || skew < -maxSkew:
		return nil, &refusal{http.StatusForbidden, "InvalidSignatureException",
			"Signature expired or not yet current: the request's clock differs from AppSync's by " +
				"more than five minutes."}
	}
	for _, needed := range []string{"host", "x-amz-date", "x-amz-security-token"} {
		if (needed == "host" || r.Header.Get(needed) != "") && !slices.Contains(headers, needed) {
			return nil, mismatch
		}
	}
	who, secret, err := a.cfg.Credentials(credential[0], r.Header.Get("X-Amz-Security-Token"))
	if err != nil {
		return nil, err
	}
	hash := sigv4.Hash(string(body))
	if sent := r.Header.Get("X-Amz-Content-Sha256"); sent != "" && sent != hash {
		return nil, mismatch
	}
	canonical := sigv4.CanonicalRequest(r, sigv4.EscapePath(r.URL.Path), headers, hash)
	_, want := sigv4.NewKey(secret, scope).Sign(sigv4.Algorithm, at, sigv4.Hash(canonical))
	if !sigv4.Equal(values["Signature"], want) {
		return nil, mismatch
	}
	who.Identity.Provider = schema.IAM
	return who, nil
}
