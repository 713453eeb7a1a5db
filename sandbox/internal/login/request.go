package login

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// providerCognito is the name under which an app client lists the pool itself.
const providerCognito = "COGNITO"

// authRequest is a valid authorization request. Its client exists, its
// redirect URI is one of the client's, and its scopes are allowed.
type authRequest struct {
	Client *userpool.Client
	// RedirectURI is one of Client.CallbackURLs, unchanged.
	RedirectURI string
	State       string
	Scopes      []string
	Nonce       string
	// Challenge is the S256 code challenge, or empty without PKCE.
	Challenge string
	// Provider is the identity provider that the user must come from, or empty.
	Provider  string
	LoginHint string
	Prompt    []string

	query url.Values // what pages carry along: the known parameters
}

// pageError is an error in an authorization request that must not be sent to
// the redirect URI, because that URI is not registered (RFC 6749 §4.1.2.1).
type pageError struct {
	Code string // as Cognito's error page names it
	Hint string // for the developer, in English
}

func (e *pageError) Error() string { return e.Code + ": " + e.Hint }

// redirectError is an error that the application gets by redirect.
type redirectError struct {
	RedirectURI, State string
	Code, Description  string // RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6
}

func (e *redirectError) Error() string { return e.Code + ": " + e.Description }

// target returns the redirect URI with the error.
func (e *redirectError) target() string {
	q := url.Values{"error": {e.Code}, "error_description": {e.Description}}
	if e.State != "" {
		q.Set("state", e.State)
	}
	return withQuery(e.RedirectURI, q)
}

// requestParameters are the supported parameters of the
// authorization endpoint. Others are ignored (RFC 6749 §3.1).
var requestParameters = [...]string{
	"client_id", "redirect_uri", "response_type", "scope", "state", "nonce",
	"code_challenge", "code_challenge_method", "identity_provider", "idp_identifier",
	"login_hint", "prompt", "lang",
}

// parseRequest validates the query of an authorization request. Its error is that of client, or
// a [*pageError]. Once client and redirect URI are known to be valid, it is a [*redirectError].
// identifiers are those of [userpool.Config.ProviderIdentifiers].
func parseRequest(rawQuery string, client func(id string) (*userpool.Client, error),
	identifiers map[string]string) (*authRequest, error) {
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, &pageError{"invalid_request", "The query string of this address is malformed."}
	}
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(q[name]) != 1 || q.Get(name) == "" {
			return nil, &pageError{"invalid_request", "Give the parameter " + name + " exactly once."}
		}
	}
	c, err := client(q.Get("client_id"))
	if err != nil {
		return nil, err
	}
	// RFC 9700 §2.1 demands exact string matching.
	if !slices.Contains(c.CallbackURLs, q.Get("redirect_uri")) {
		return nil, &pageError{"redirect_mismatch", mismatch("redirect URI", "callback", q.Get("redirect_uri"), c.CallbackURLs)}
	}

	req := &authRequest{
		Client: c, RedirectURI: q.Get("redirect_uri"), State: q.Get("state"), Nonce: q.Get("nonce"),
		Challenge: q.Get("code_challenge"), Provider: q.Get("identity_provider"), LoginHint: q.Get("login_hint"),
		Prompt: strings.Fields(q.Get("prompt")), query: make(url.Values),
	}
	for _, name := range requestParameters {
		// A repeated parameter is refused, and none of its values is used.
		if len(q[name]) > 1 {
			if name == "state" {
				req.State = ""
			}
			return nil, req.fail("invalid_request", "The parameter "+name+" is included more than once.")
		}
		if v := q.Get(name); v != "" {
			req.query.Set(name, v)
		}
	}
	// Developer Guide, "Authorize endpoint": another name for the identity provider.
	if id := q.Get("idp_identifier"); id != "" {
		name, ok := identifiers[id]
		switch {
		case !ok:
			return nil, req.fail("invalid_request",
				"No identity provider has the identifier "+id+".")
		case req.Provider != "" && req.Provider != name:
			return nil, req.fail("invalid_request", "identity_provider and idp_identifier differ.")
		}
		req.Provider = name
	}
	return req, req.validate(q.Get("response_type"), q.Get("scope"), q.Get("code_challenge_method"))
}

func (req *authRequest) validate(responseType, scope, method string) error {
	switch responseType {
	case "code":
	case "":
		return req.fail("invalid_request", "The parameter response_type is missing.")
	case "token":
		// RFC 9700 §2.1.2 advises against the implicit grant.
		// With Cognito, a client must be allowed to use it.
		return req.fail("unauthorized_client", "The client may not use the implicit grant. Use response_type=code.")
	default:
		return req.fail("unsupported_response_type", "Use response_type=code.")
	}
	switch {
	case req.Challenge == "" && method == "":
		// Cognito lets every client omit PKCE.
	case req.Challenge == "":
		return req.fail("invalid_request", "The parameter code_challenge is missing.")
	case method != "S256":
		return req.fail("invalid_request", "Use code_challenge_method=S256.")
	case !isChallenge(req.Challenge):
		return req.fail("invalid_request", "The parameter code_challenge is not the base64url form of a SHA-256 sum.")
	}
	if req.Scopes = strings.Fields(scope); len(req.Scopes) == 0 {
		// A client that asks for no scopes gets all of its scopes
		// (Cognito Developer Guide, "Authorize endpoint"). The list is
		// never nil: to the pool, nil means a sign-in through the API.
		req.Scopes = append([]string{}, req.Client.Scopes...)
	}
	for _, s := range req.Scopes {
		if !slices.Contains(req.Client.Scopes, s) {
			return req.fail("invalid_scope", "The client may not have the scope "+s+".")
		}
	}
	for _, p := range req.Prompt {
		if !slices.Contains([]string{"none", "login", "select_account", "consent"}, p) {
			return req.fail("invalid_request", "Unknown prompt "+p+".")
		}
	}
	if req.prompts("none") && len(req.Prompt) > 1 {
		return req.fail("invalid_request", "prompt=none allows no other value.") // OpenID Connect Core §3.1.2.1
	}
	if req.Provider != "" && !req.offers(req.Provider) {
		return req.fail("invalid_request", "The client does not offer the identity provider "+req.Provider+".")
	}
	return nil
}

// fail returns a redirectError. It replaces characters in
// the description that RFC 6749 §4.1.2.1 does not allow.
func (req *authRequest) fail(code, description string) *redirectError {
	return &redirectError{req.RedirectURI, req.State, code, strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, description)}
}

func (req *authRequest) prompts(p string) bool { return slices.Contains(req.Prompt, p) }

// offers reports whether the client lists the provider.
func (req *authRequest) offers(provider string) bool {
	return slices.Contains(req.Client.Providers, provider)
}

// link returns the address of a page that continues this request.
func (req *authRequest) link(path string) string { return path + "?" + req.query.Encode() }

// isChallenge reports whether s can be an S256 code challenge: RFC 7636 §4.2.
func isChallenge(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == 32 && !strings.ContainsAny(s, "\r\n") // which the decoder skips
}

// withQuery adds parameters to the query of a redirect URI (RFC 6749 §4.1.2).
func withQuery(uri string, q url.Values) string {
	sep := "?"
	if strings.Contains(uri, "?") {
		sep = "&"
		if strings.HasSuffix(uri, "?") || strings.HasSuffix(uri, "&") {
			sep = ""
		}
	}
	return uri + sep + q.Encode()
}

func mismatch(what, list, got string, allowed []string) string {
	if len(allowed) == 0 {
		return fmt.Sprintf("The %s %q is not registered: the app client has no %s URLs at all.", what, got, list)
	}
	return fmt.Sprintf("The %s %q is not registered. The app client's %s URLs, which must be equal to it character by character, are: %s",
		what, got, list, strings.Join(allowed, ", "))
}
