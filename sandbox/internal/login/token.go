package login

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// token is the token endpoint: RFC 6749 §4.1.3, §4.4.2 and §6. It answers 400 to a client that it
// does not know (Developer Guide, "Token endpoint"), where RFC 6749 §5.2 has 401 after a header.
func (h *Handler) token(w http.ResponseWriter, r *http.Request) error {
	form, err := parameters(r)
	if err != nil {
		return err
	}
	client, err := h.authenticate(r, form, http.StatusBadRequest)
	if err != nil {
		return err
	}
	var tokens *userpool.Tokens
	switch form.Get("grant_type") {
	case "authorization_code":
		tokens, err = h.exchangeCode(r, client, form)
	case "refresh_token":
		tokens, err = h.refresh(r, client, form)
	case "client_credentials":
		tokens, err = h.machineToken(r, client, form)
	case "":
		return badRequest("invalid_request", "The parameter grant_type is missing.")
	default:
		return badRequest("unsupported_grant_type",
			"Use authorization_code, refresh_token or client_credentials.")
	}
	if err != nil {
		return err
	}
	h.writeJSON(w, r, http.StatusOK, struct {
		IDToken      string `json:"id_token,omitempty"`
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token,omitempty"`
		ExpiresIn    int    `json:"expires_in"` // seconds
		TokenType    string `json:"token_type"`
	}{tokens.IDToken, tokens.AccessToken, tokens.RefreshToken, int(tokens.ExpiresIn / time.Second), "Bearer"})
	return nil
}

var errBadCode = badRequest("invalid_grant", "The authorization code is not valid for this request.")

// exchangeCode issues tokens for a code. The first attempt uses the code up, even if it
// fails, so that the code verifier cannot be guessed. A second attempt is a sign that
// the code leaked. It revokes the tokens of the first one (RFC 6749 §4.1.2, §10.5).
func (h *Handler) exchangeCode(r *http.Request, client *userpool.Client, form url.Values) (*userpool.Tokens, error) {
	if form.Get("code") == "" {
		return nil, badRequest("invalid_request", "The parameter code is missing.")
	}
	if form.Get("redirect_uri") == "" {
		return nil, badRequest("invalid_request", "The parameter redirect_uri is missing.")
	}
	key := keyOf(form.Get("code"))
	c, first, err := h.redeem(r, key)
	if err != nil {
		return nil, err
	}
	if !first || c.ClientID != client.ID || c.RedirectURI != form.Get("redirect_uri") ||
		!h.pool.Now().Before(c.Expires) || !verify(c.Challenge, form.Get("code_verifier")) {
		return nil, errBadCode
	}
	tokens, err := h.pool.IssueTokens(r.Context(), userpool.Grant{
		ClientID: c.ClientID, Sub: c.Sub, Scopes: c.Scopes, AuthTime: c.AuthTime, Nonce: c.Nonce,
	})
	if err != nil {
		return nil, issueError(err, errBadCode) // the user was deleted or disabled meanwhile
	}
	return h.bind(r, key, tokens)
}

// redeem marks a code as used. It returns the code as it was before, and whether
// this was the first attempt. Of simultaneous attempts, exactly one is the first.
func (h *Handler) redeem(r *http.Request, key string) (c authorizationCode, first bool, err error) {
	err = h.store.Update(r.Context(), func(tx *store.Tx) error {
		now := h.pool.Now()
		if err := tx.Get(codeBucket, key, &c, now); err != nil {
			return err
		}
		first = !c.Redeemed
		if !first && c.OriginJTI != "" {
			if err := tx.RevokeSession(c.OriginJTI); err != nil {
				return err
			}
		}
		marked := c
		marked.Redeemed, marked.Replayed = true, !first
		return tx.Put(codeBucket, key, marked, c.Expires.Add(replayMemory), now)
	})
	if errors.Is(err, store.ErrNotFound) {
		return c, false, nil
	}
	return c, first, err
}

// bind records the tokens that a code was exchanged for. If the code
// was replayed while they were issued, it revokes them at once.
func (h *Handler) bind(r *http.Request, key string, tokens *userpool.Tokens) (*userpool.Tokens, error) {
	jti, err := originJTI(tokens.AccessToken)
	if err != nil {
		return nil, err
	}
	replayed := false
	err = h.store.Update(r.Context(), func(tx *store.Tx) error {
		var c authorizationCode
		now := h.pool.Now()
		if err := tx.Get(codeBucket, key, &c, now); err != nil {
			return err
		}
		if replayed = c.Replayed; replayed {
			return tx.RevokeSession(jti)
		}
		c.OriginJTI = jti
		return tx.Put(codeBucket, key, c, c.Expires.Add(replayMemory), now)
	})
	if err != nil {
		return nil, err
	}
	if replayed {
		return nil, errBadCode
	}
	return tokens, nil
}

// originJTI reads the claim origin_jti, which all tokens
// of a sign-in share, from a token that was just issued.
func originJTI(accessToken string) (string, error) {
	var claims struct {
		OriginJTI string `json:"origin_jti"`
	}
	parts := strings.Split(accessToken, ".")
	if len(parts) != 3 {
		return "", errors.New("login: the pool issued an access token that is no JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	return claims.OriginJTI, err
}

// verify checks a code verifier against the S256 challenge of the authorization
// request (RFC 7636 §4.6). Without a challenge there must be no verifier.
// Otherwise an attacker could remove the challenge unnoticed (RFC 9700 §2.1.1).
func verify(challenge, verifier string) bool {
	if challenge == "" || verifier == "" {
		return challenge == verifier
	}
	if len(verifier) < 43 || len(verifier) > 128 { // RFC 7636 §4.1
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

func (h *Handler) refresh(r *http.Request, client *userpool.Client, form url.Values) (*userpool.Tokens, error) {
	if form.Get("refresh_token") == "" {
		return nil, badRequest("invalid_request", "The parameter refresh_token is missing.")
	}
	tokens, err := h.pool.Refresh(r.Context(), client.ID, form.Get("refresh_token"), nil)
	if err != nil {
		return nil, issueError(err, badRequest("invalid_grant", "The refresh token is not valid for this client."))
	}
	return tokens, nil
}

// machineToken issues an access token for the client itself (RFC 6749 §4.4;
// Developer Guide, "Token endpoint" and "Scopes, M2M, and resource servers").
func (h *Handler) machineToken(
	r *http.Request, client *userpool.Client, form url.Values,
) (*userpool.Tokens, error) {
	if !client.ClientCredentials {
		return nil, badRequest("unauthorized_client", "The client may not use client_credentials.")
	}
	g := userpool.MachineGrant{ClientID: client.ID}
	for _, scope := range strings.Fields(form.Get("scope")) {
		if !slices.Contains(client.Scopes, scope) {
			return nil, badRequest("invalid_scope",
				"The client does not have a scope that it asks for.")
		}
		if !slices.Contains(g.Scopes, scope) {
			g.Scopes = append(g.Scopes, scope)
		}
	}
	if text := form.Get("aws_client_metadata"); text != "" {
		if err := json.Unmarshal([]byte(text), &g.ClientMetadata); err != nil {
			return nil, badRequest("invalid_request",
				"The parameter aws_client_metadata is not a JSON object with texts as values.")
		}
	}
	tokens, err := h.pool.IssueMachineToken(r.Context(), g)
	if err != nil {
		return nil, issueError(err, badRequest("unauthorized_client", "The client has no tokens."))
	}
	return tokens, nil
}

// issueError returns the error for err, with which the pool issued no tokens: refusal, unless
// the pre-token hook failed. The grant is not to blame for that.
func issueError(err error, refusal *oauthError) error {
	var e *userpool.Error
	switch {
	case !errors.As(err, &e):
		return err
	case e.Code == userpool.UserLambdaValidation, e.Code == userpool.InvalidLambdaResponse:
		return badRequest("invalid_request", e.Message)
	}
	return refusal
}

// revoke is the revocation endpoint (RFC 7009). It revokes only
// refresh tokens, and answers 401 to a client that it does not
// know (Cognito Developer Guide, "Revoke endpoint").
func (h *Handler) revoke(w http.ResponseWriter, r *http.Request) error {
	form, err := parameters(r)
	if err != nil {
		return err
	}
	client, err := h.authenticate(r, form, http.StatusUnauthorized)
	if err != nil {
		return err
	}
	if form.Get("token") == "" {
		return badRequest("invalid_request", "The parameter token is missing.")
	}
	err = h.pool.Revoke(r.Context(), client.ID, form.Get("token"))
	switch userpool.CodeOf(err) {
	case "":
		return err // nil: 200 with an empty body
	case userpool.UnsupportedTokenType:
		return badRequest("unsupported_token_type", "Only refresh tokens can be revoked.")
	default:
		return badRequest("invalid_request", "The token cannot be revoked by this client.")
	}
}

// userInfo returns the claims of a user (OpenID Connect Core §5.3). Its errors are those of the
// Developer Guide, "UserInfo endpoint". They have no insufficient_scope (RFC 6750 §3.1): a token
// without the scope openid is an invalid one.
func (h *Handler) userInfo(w http.ResponseWriter, r *http.Request) error {
	raw, ok := bearer(r)
	if !ok {
		return bearerError(http.StatusBadRequest, "invalid_request", "Send the access token as Authorization: Bearer.")
	}
	if _, err := h.pool.VerifyAccessToken(r.Context(), raw, ""); err != nil {
		if userpool.CodeOf(err) == "" {
			return err
		}
		return bearerError(http.StatusUnauthorized, "invalid_token", "The access token is malformed, expired or revoked.")
	}
	claims, err := h.pool.UserInfo(r.Context(), raw)
	if userpool.CodeOf(err) != "" {
		return bearerError(http.StatusUnauthorized, "invalid_token",
			"Access token does not contain openid scope")
	}
	if err != nil {
		return err
	}
	h.writeJSON(w, r, http.StatusOK, claims)
	return nil
}

func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

func bearerError(status int, code, description string) *oauthError {
	return &oauthError{status, code, description, `Bearer error="` + code + `", error_description="` + description + `"`}
}
