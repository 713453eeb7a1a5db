package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// contentType is that of Amplify JS.
const contentType = "application/json; charset=UTF-8"

// headers returns the headers that the options want to be sent: those of the App, and over them
// those of the call, o.
func (s *service) headers(ctx context.Context, o Options, in HeadersInput) (http.Header, error) {
	h := http.Header{"Content-Type": {contentType}}
	layers := []Options{s.options, o}
	if o.Endpoint != "" {
		layers = layers[1:]
	}
	for _, layer := range layers {
		if err := set(h, layer.Headers); err != nil {
			return nil, err
		}
		if layer.HeadersFunc == nil {
			continue
		}
		computed, err := layer.HeadersFunc(ctx, in)
		if err == nil {
			err = set(h, computed)
		}
		if err != nil {
			return nil, err
		}
	}
	return h, nil
}

// set sets headers in h. A header's name may be spelled in any case.
func set(h, headers http.Header) error {
	for name, values := range headers {
		if !awsapi.IsHeaderName(name) {
			return invalid(fmt.Sprintf("The header name %q is not one of HTTP.", name),
				"Use letters, digits and hyphens.")
		}
		if ofConnection[http.CanonicalHeaderKey(name)] {
			return invalid(fmt.Sprintf("The header %q belongs to the connection.", name),
				"Leave it out. Of the headers of a request, pass on those alone that the API needs.")
		}
		for _, value := range values {
			if strings.ContainsFunc(value, isControl) {
				return invalid(fmt.Sprintf("The header %q has a control character.", name),
					"Encode its value, for example by url.QueryEscape.")
			}
		}
		h[http.CanonicalHeaderKey(name)] = values
	}
	return nil
}

// ofConnection are the headers that describe a connection or a body, and not the call. A caller
// who could set them could take the authorization away (RFC 9110, "Connection") or make the answer
// unreadable.
var ofConnection = map[string]bool{
	"Accept-Encoding": true, "Connection": true, "Content-Encoding": true, "Content-Length": true,
	"Expect": true, "Host": true, "Keep-Alive": true, "Proxy-Connection": true, "Te": true,
	"Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// The headers that tell who is calling.
const (
	authorization = "Authorization"
	apiKey        = "X-Api-Key"
)

// authorize adds to r what its auth mode sends. Headers of the options win.
func (r *request) authorize(ctx context.Context, server *amplify.ServerContext, o Options) error {
	if !o.AuthToken.IsZero() {
		if strings.ContainsFunc(o.AuthToken.Reveal(), isControl) {
			return invalid("The AuthToken has a control character.", "Give the token alone.")
		}
		r.header[authorization] = []string{o.AuthToken.Reveal()}
	}
	if r.anonymous {
		return nil
	}
	authorized := r.header.Get(authorization) != ""
	switch o.AuthMode {
	case AuthAPIKey:
		if o.APIKey.IsZero() {
			return &amplify.Error{
				Name: "NoApiKey", Reason: amplify.ReasonConfiguration,
				Message: "No api-key configured",
				RecoverySuggestion: "Make sure that the configuration has an API key " +
					"(data.api_key of the outputs), or choose another AuthMode.",
			}
		}
		if r.header.Get(apiKey) == "" {
			r.header[apiKey] = []string{o.APIKey.Reveal()}
		}
	case AuthUserPool, AuthOIDC:
		if authorized {
			return nil
		}
		token, err := sessionToken(ctx, server, o)
		if err != nil {
			return err
		}
		r.header[authorization] = []string{token.Reveal()}
	case AuthLambda:
		if !authorized {
			return &amplify.Error{
				Name: "NoAuthorizationHeader", Reason: amplify.ReasonConfiguration,
				Message: "No auth token specified",
				RecoverySuggestion: "Set Options.AuthToken to the token that the authorizer " +
					"function of the API expects.",
			}
		}
	case AuthIdentityPool, authIAM:
		if authorized {
			return nil
		}
		return r.sign(ctx, server, amplify.CredentialsInput{})
	}
	return nil
}

// sessionToken returns the token of the session, for modes that send it.
func sessionToken(
	ctx context.Context, server *amplify.ServerContext, o Options,
) (*amplify.Token, error) {
	tokens, err := server.Tokens(ctx, amplify.TokensInput{})
	switch {
	case errors.Is(err, amplify.ErrUnauthenticated):
		return nil, &amplify.Error{
			Name: "NoValidAuthTokens", Message: "No federated jwt",
			RecoverySuggestion: fmt.Sprintf("The auth mode %q needs a user who is signed in. "+
				"Sign in, or choose another AuthMode.", o.AuthMode),
			Err: err,
		}
	case errors.Is(err, amplify.ErrServerContextClosed):
		return nil, err
	case err != nil:
		return nil, &amplify.Error{
			Name: "NoSignedUser", Message: "No current user",
			RecoverySuggestion: "Look at the cause: the session could not be read.", Err: err,
		}
	case !o.IDToken:
		return tokens.AccessToken, nil
	case tokens.IDToken == nil:
		return nil, &amplify.Error{
			Name: "NoValidAuthTokens", Reason: amplify.ReasonInvalidRequest,
			Message: "The session has no ID token.",
			RecoverySuggestion: "Sessions of bearer tokens have an access token only: leave " +
				"Options.IDToken out.",
		}
	}
	return tokens.IDToken, nil
}

// sign makes r be signed with the credentials of the request's user, or of a guest.
func (r *request) sign(
	ctx context.Context, server *amplify.ServerContext, in amplify.CredentialsInput,
) error {
	credentials, err := server.Credentials(ctx, in)
	switch {
	case err != nil:
		return err
	case credentials == nil:
		return &amplify.Error{
			Name: "NoCredentials", Reason: amplify.ReasonConfiguration, Message: "No credentials",
			RecoverySuggestion: "The auth mode \"identityPool\" needs an identity pool in the " +
				"configuration, and a user who is signed in with cookies, or guests that the " +
				"identity pool allows.",
		}
	case r.region == "":
		return &amplify.Error{
			Name: "NoRegion", Reason: amplify.ReasonConfiguration,
			Message:            "Missing region of the GraphQL API.",
			RecoverySuggestion: "Give Config.Data or Options a Region, which signatures need.",
		}
	}
	sdk := awsapi.AWSCredentials(credentials)
	r.credentials = &sdk
	return nil
}

// hasExpired reports whether err, by which the API has refused r, says that its credentials have
// expired. AppSync and API Gateway have one name for it, other services in front of them another.
func (r *request) hasExpired(err error) bool {
	var answered *statusError
	return r.credentials != nil && errors.As(err, &answered) && answered.status < 500 &&
		(answered.name == "ExpiredTokenException" || answered.name == "ExpiredToken")
}

func hashOf(body []byte) string {
	hash := sha256.Sum256(body)
	return hex.EncodeToString(hash[:])
}
