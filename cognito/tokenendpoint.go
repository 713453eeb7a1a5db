package cognito

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"golang.org/x/oauth2"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
	"github.com/amplify-go/amplify/internal/cognitoapi"
)

const (
	// endpointTimeout bounds a call of managed login's token or revocation endpoint, its body
	// included.
	endpointTimeout = 10 * time.Second
	// maxAnswerBytes bounds what such a call answers.
	maxAnswerBytes = 256 << 10
)

// CodeGrant is what managed login sent a user back with, and what proves the right to it
// (RFC 6749 §4.1.3, RFC 7636 §4.5).
type CodeGrant struct {
	Code, State string
	// Verifier is the code verifier of the attempt that State belongs to.
	Verifier string
	// RedirectURI is the address that the user was sent back to.
	RedirectURI string
	// Accept, unless it is nil, decides whether the tokens are given to anyone. It is called once
	// for a code, however often that arrives. It may outlive the request, and so must not keep
	// memory of it. Its context ends with the exchange, and five seconds after the last request
	// that waits for it has gone.
	Accept func(ctx context.Context, tokens amplify.IssuedTokens) error
}

// ExchangeCode redeems an authorization code at managed login's token endpoint.
//
// A code that arrives twice within a minute (a reload, a restored tab, a proxy that retries) is
// redeemed once: the second request gets the outcome of the first, or what the session has been
// refreshed to since. An error of Accept is such an outcome, too.
//
// If Cognito refuses the code, the error's Name is the code of RFC 6749 §5.2, such as
// "invalid_grant", and its Reason is [amplify.ReasonCodeRefused], or [amplify.ReasonConfiguration]
// if the client itself is refused. Other failures have [amplify.ReasonServiceUnavailable].
func (c *Client) ExchangeCode(ctx context.Context, g CodeGrant) (amplify.IssuedTokens, error) {
	if c.poolID == "" || c.app.Endpoints().OAuth == "" {
		return amplify.IssuedTokens{}, errNoUserPool
	}
	g = CodeGrant{strings.Clone(g.Code), strings.Clone(g.State), strings.Clone(g.Verifier), strings.Clone(g.RedirectURI), g.Accept}
	key := tokenHash(newSessionID("code", g.Code, g.State, g.Verifier))
	if _, _, ok := c.handoff.redeemed(key, c.now()); !ok {
		if refusal, ok := c.refusedCodes.get(key, c.now()); ok {
			return amplify.IssuedTokens{}, refusal
		}
		if _, err := c.exchanges.do(ctx, key, func(ctx context.Context) (*issued, error) {
			// From a flight that has just ended.
			if known, _, ok := c.handoff.redeemed(key, c.now()); ok {
				return known, nil
			}
			if refusal, ok := c.refusedCodes.get(key, c.now()); ok {
				return nil, refusal
			}
			answer, err := c.exchange(ctx, g)
			final := amplify.ReasonOf(err) == amplify.ReasonCodeRefused
			if err == nil && g.Accept != nil {
				err = g.Accept(ctx, answer.forSession(answer.refreshToken))
				final = err != nil // the code has been used, and nobody gets what it opened
			}
			now := c.now()
			switch {
			case err == nil:
				c.handoff.putCode(key, answer)
			case final:
				c.refusedCodes.put(key, err, now, now.Add(handoffWindow))
			}
			return answer, err
		}); err != nil {
			return amplify.IssuedTokens{}, err
		}
	}
	tokens, refreshToken, ok := c.handoff.redeemed(key, c.now())
	if !ok {
		return amplify.IssuedTokens{}, errSignedOut() // meanwhile
	}
	return tokens.forSession(refreshToken), nil
}

// exchange asks the token endpoint.
func (c *Client) exchange(ctx context.Context, g CodeGrant) (*issued, error) {
	ctx, cancel := context.WithTimeout(ctx, endpointTimeout)
	defer cancel()
	style := oauth2.AuthStyleInParams // a public client sends its id in the body
	if !c.options.ClientSecret.IsZero() {
		style = oauth2.AuthStyleInHeader // RFC 6749 §2.3.1
	}
	config := oauth2.Config{
		ClientID:     c.clientID,
		ClientSecret: c.options.ClientSecret.Reveal(),
		RedirectURL:  g.RedirectURI,
		Endpoint:     oauth2.Endpoint{TokenURL: c.app.Endpoints().OAuth + "/oauth2/token", AuthStyle: style},
	}
	client := *c.app.HTTPClient()
	client.CheckRedirect = refuseRedirects // a code must not travel to an address that an answer names
	token, err := config.Exchange(context.WithValue(ctx, oauth2.HTTPClient, &client), g.Code, oauth2.VerifierOption(g.Verifier))
	if err != nil {
		return nil, exchangeError(err)
	}
	id, _ := token.Extra("id_token").(string)
	return c.newIssued(token.AccessToken, id, token.RefreshToken), nil
}

func refuseRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// exchangeError translates an error of golang.org/x/oauth2. What the endpoint answered is dropped,
// except for a code of RFC 6749 §5.2: the rest could quote the request.
func exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	switch {
	case !errors.As(err, &refused):
		e := awsapi.Error(err)
		e.Reason = amplify.ReasonServiceUnavailable
		return e
	case refused.ErrorCode == "" || refused.Response.StatusCode >= 500 || refused.Response.StatusCode == http.StatusTooManyRequests:
		return &amplify.Error{
			Name: "OAuthSignInException", Reason: amplify.ReasonServiceUnavailable,
			Message: fmt.Sprintf("The token endpoint answered status %d.", refused.Response.StatusCode),
		}
	case refused.ErrorCode == "invalid_client" || refused.ErrorCode == "unauthorized_client":
		return &amplify.Error{
			Name: refused.ErrorCode, Reason: amplify.ReasonConfiguration,
			Message: "Cognito refused the app client.",
			RecoverySuggestion: "Check Options.ClientSecret of package cognito: it must be the app client's, or empty if that has none. " +
				"The app client must allow the authorization code grant.",
		}
	}
	return &amplify.Error{
		Name: refused.ErrorCode, Reason: amplify.ReasonCodeRefused,
		Message:            "Cognito refused an authorization code.",
		RecoverySuggestion: "The code has been used or has expired, or the redirect URL is not the one that it was issued for. Sign in again.",
	}
}

// revokeAll revokes the refresh tokens of sessions that have ended, up to [maxRevocations], side by
// side: none has to wait for another that the user pool does not answer.
func (c *Client) revokeAll(ctx context.Context, ended []*endedSession) []error {
	var all sync.WaitGroup
	failures := make([]error, maxRevocations)
	n := 0
	for nth := range maxRefreshTokens { // the likeliest of each session first
		for _, f := range ended {
			if nth >= len(f.refreshTokens) || n == maxRevocations {
				continue
			}
			at := n
			all.Go(func() { failures[at] = c.revoke(ctx, f.refreshTokens[nth], f.revocable) })
			n++
		}
	}
	all.Wait()
	return failures
}

// revoke revokes the refresh token of a session that has ended, and with it the access tokens that
// came of it: at managed login's endpoint if there is one (RFC 7009; Cognito Developer Guide, "The
// token revocation endpoint"), else by the API. The call goes on if the caller gives up.
func (c *Client) revoke(ctx context.Context, refreshToken string, revocable bool) error {
	hash := c.hash(refreshToken)
	_, err := c.revocations.do(ctx, newSessionID("revoke", string(hash[:])), func(ctx context.Context) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, endpointTimeout)
		defer cancel()
		if c.app.Endpoints().OAuth != "" {
			return struct{}{}, c.revokeAtEndpoint(ctx, refreshToken)
		}
		return struct{}{}, c.revokeByAPI(ctx, refreshToken)
	})
	if !revocable {
		return nil // tokens without origin_jti come from a pool, or a time, without token revocation
	}
	return err
}

// revokeAtEndpoint asks managed login to revoke a token.
func (c *Client) revokeAtEndpoint(ctx context.Context, token string) error {
	form := url.Values{"token": {token}, "client_id": {c.clientID}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.app.Endpoints().OAuth+"/oauth2/revoke", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if secret := c.options.ClientSecret.Reveal(); secret != "" {
		r.SetBasicAuth(url.QueryEscape(c.clientID), url.QueryEscape(secret)) // RFC 6749 §2.3.1
	}
	client := *c.app.HTTPClient()
	client.CheckRedirect = refuseRedirects
	response, err := client.Do(r)
	if err != nil {
		return awsapi.Error(err)
	}
	defer response.Body.Close()
	// To the end, so that the connection can be used again.
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if response.StatusCode == http.StatusOK {
		return nil
	}
	var answer struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &answer) == nil && answer.Error == "invalid_request" && response.StatusCode == http.StatusBadRequest {
		return nil // token revocation is off in this app client
	}
	e := &amplify.Error{Name: "RevocationException", Message: fmt.Sprintf("The revocation endpoint answered status %d.", response.StatusCode)}
	if response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests {
		e.Reason = amplify.ReasonServiceUnavailable
	}
	return e
}

// revokeByAPI asks the user pools API to revoke a token.
func (c *Client) revokeByAPI(ctx context.Context, token string) error {
	client, err := cognitoapi.UserPool(c.app)
	if err != nil {
		return err
	}
	in := &cognitoidentityprovider.RevokeTokenInput{ClientId: aws.String(c.clientID), Token: aws.String(token)}
	if secret := c.options.ClientSecret; !secret.IsZero() {
		in.ClientSecret = aws.String(secret.Reveal())
	}
	if _, err := client.RevokeToken(ctx, in); err != nil {
		e := awsapi.Error(err)
		if e.Name == "UnsupportedOperationException" {
			return nil // token revocation is off in this app client
		}
		return e
	}
	return nil
}
