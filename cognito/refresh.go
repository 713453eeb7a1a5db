package cognito

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify"
)

const (
	// minSkew is the difference between two clocks that is taken for one: a Date header has no fractions, and
	// answers travel.
	minSkew = 5 * time.Second
)

// refresh returns the successor of cur, whose tokens it has kept in the storage as far as that is
// writable. expired tells what the caller is left with if there is none.
func (p *provider) refresh(ctx context.Context, cur *current, in amplify.TokensInput, expired bool) (*current, error) {
	c := p.cognito
	if !isToken(cur.refreshToken) {
		if !expired {
			return nil, errNoRefreshToken
		}
		return nil, amplify.Unauthenticated(amplify.ReasonExpiredNoRefreshToken, nil)
	}
	writable := p.kv.Writable()
	if !writable && c.rotates() {
		return nil, amplify.Unauthenticated(amplify.ReasonRefreshNeedsWritableResponse, nil)
	}
	if p.examiner != nil {
		p.examiner.refreshDue = true
		return nil, errExamined
	}
	answer, err := c.refresh(ctx, cur.refreshToken, p.stored.deviceKey(cur.user), in)
	if err == nil && answer.pair.Load().access.claims.Subject != cur.accessClaims.Subject {
		// The refresh token was not this user's. Nothing of the answer may be used.
		err = amplify.Unauthenticated(amplify.ReasonUserMismatch, nil)
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != cur || p.refused != nil { // another goroutine of this request came first
		return p.current, p.refused
	}
	if err != nil {
		if ended(err) {
			p.refused = err
			p.clear(ctx, cur.user)
			c.handoff.forget(c.hash(cur.refreshToken))
		}
		return nil, err
	}
	next, err := p.keep(ctx, cur, answer, writable)
	if err != nil {
		p.refused = err
		return nil, err
	}
	p.current = next
	return next, nil
}

// keep makes answer the request's session, and writes it to the storage if it is writable.
func (p *provider) keep(ctx context.Context, cur *current, answer *refreshed, writable bool) (*current, error) {
	c := p.cognito
	access, id := answer.pair.Load().access, answer.pair.Load().id
	next := &current{
		session:      newSession(access, id),
		user:         cur.user,
		refreshToken: cur.refreshToken,
		details:      cur.details,
		refreshed:    true,
	}
	if answer.refreshToken != "" {
		next.refreshToken = answer.refreshToken
	}
	next.setTokens(access.raw, id.raw)
	// A token just refreshed is good for its lifetime, whatever this server's clock makes of its exp: it would be
	// refreshed with every request otherwise.
	next.expires = answer.received.Add(next.session.expires.Sub(access.claims.IssuedAt))
	if !writable {
		if answer.refreshToken != "" {
			c.app.Logger().WarnContext(ctx, "amplify: a refresh rotated the refresh token where no cookie could be set; the session is lost. "+
				"Leave Options.RefreshTokenRotation on RotationAuto or set RotationOn")
		}
		return next, nil
	}
	if !selects(cur.user, id.claims) {
		// The alias under which the session was stored is the user's no longer: LastAuthUser could not select it again.
		p.clear(ctx, cur.user)
		next.user = id.claims.Username
	}
	prefix := c.prefix + next.user + "."
	entries := [][2]string{
		{c.prefix + keyLastAuthUser, next.user},
		{prefix + keyAccessToken, access.raw},
		{prefix + keyIDToken, id.raw},
		{prefix + keyRefreshToken, next.refreshToken},
	}
	if next.details != "" {
		entries = append(entries, [2]string{prefix + keySignInDetails, next.details})
	}
	if err := amplify.SetAll(p.kv, entries...); err != nil {
		return nil, &amplify.Error{
			Name:    "TokenRefreshException",
			Reason:  amplify.ReasonConfiguration,
			Message: "The session was refreshed, but its new tokens could not be kept.",
			Err:     err,
		}
	}
	c.sessions.Set(newSessionID("cookies", next.user, access.raw, id.raw), next.session)
	return next, nil
}

// clear deletes the session of a user from the storage, as far as that is writable.
func (p *provider) clear(ctx context.Context, user string) {
	if !p.kv.Writable() {
		return
	}
	if err := clearSession(p.kv, p.cognito.prefix, user); err != nil {
		p.cognito.app.Logger().WarnContext(ctx, "amplify: a session that has ended could not be deleted", "error", err)
	}
}

// ended reports whether err, which a refresh returned, means that there is no session any more.
func ended(err error) bool {
	reason := amplify.ReasonOf(err)
	return reason == amplify.ReasonRefreshRejected || reason == amplify.ReasonRefreshAnswerLost || reason == amplify.ReasonUserMismatch
}

// rotates reports whether refresh tokens are to be taken for rotating.
func (c *Client) rotates() bool { return RefreshTokenRotation(c.rotation.Load()) != RotationOff }

// refreshed is what a refresh answered.
type refreshed struct {
	accessToken, idToken string
	refreshToken         string    // empty if it was not rotated
	next                 tokenHash // of refreshToken
	received             time.Time // by Cognito's clock

	pair atomic.Pointer[pair] // the first two, once they have been verified
}

// pair is an access and an ID token of one user.
type pair struct{ access, id *verified }

// refresh redeems a refresh token. Callers with the same token share one call to the user pool, and none that gives
// up cancels it for the others. Those that come shortly after get the same answer.
func (c *Client) refresh(ctx context.Context, refreshToken, deviceKey string, in amplify.TokensInput) (*refreshed, error) {
	hash := c.hash(refreshToken)
	return c.refreshes.do(ctx, hash, func(ctx context.Context) (*refreshed, error) {
		r := c.handoff.get(hash, c.now(), in.ForceRefresh)
		if r == nil {
			var err error
			if r, err = c.redeem(ctx, refreshToken, deviceKey, in.ClientMetadata); err != nil {
				return nil, err
			}
			// Before it is verified: should that have to wait for keys, what may be the only successor of a
			// rotated refresh token must not be lost.
			if !c.handoff.put(hash, r) {
				return nil, amplify.Unauthenticated(amplify.ReasonRefreshRejected, errors.New("the user has signed out meanwhile"))
			}
		}
		return r, c.verifyAnswer(ctx, r)
	})
}

// redeem asks the user pool.
func (c *Client) redeem(ctx context.Context, refreshToken, deviceKey string, metadata map[string]string) (*refreshed, error) {
	client, err := userPoolClient(c.app)
	if err != nil {
		return nil, err
	}
	in := &cognitoidentityprovider.GetTokensFromRefreshTokenInput{
		ClientId:       aws.String(c.clientID),
		RefreshToken:   aws.String(refreshToken),
		ClientMetadata: metadata,
	}
	if secret := c.options.ClientSecret; !secret.IsZero() {
		in.ClientSecret = aws.String(secret.Reveal())
	}
	if deviceKey != "" {
		in.DeviceKey = aws.String(deviceKey)
	}
	hash := c.hash(refreshToken)
	var out *cognitoidentityprovider.GetTokensFromRefreshTokenOutput
	if err := c.refreshCalls.do(c.app.Now, func() (err error) {
		out, err = client.GetTokensFromRefreshToken(ctx, in, onUnanswered(func() { c.unanswered.Set(hash, struct{}{}) }))
		return err
	}); err != nil {
		refused := amplify.ReasonRefreshRejected
		if _, lost := c.unanswered.GetIfPresent(hash); lost && c.rotates() {
			refused = amplify.ReasonRefreshAnswerLost
		}
		err := refreshError(err, refused)
		c.app.Logger().InfoContext(ctx, "amplify: a refresh failed", "error", err)
		return nil, err
	}
	c.unanswered.Invalidate(hash)
	if date, ok := awsmiddleware.GetServerTime(out.ResultMetadata); ok {
		c.observe(date)
	}
	result := out.AuthenticationResult
	if result == nil || aws.ToString(result.AccessToken) == "" || aws.ToString(result.IdToken) == "" {
		return nil, &amplify.Error{Name: "Unknown", Message: "The user pool answered a refresh without an access and an ID token."}
	}
	r := &refreshed{
		accessToken: *result.AccessToken, idToken: *result.IdToken, refreshToken: aws.ToString(result.RefreshToken),
		received: c.now(),
	}
	r.next = c.hash(r.refreshToken)
	if c.options.RefreshTokenRotation == RotationAuto {
		seen := RotationOff
		if r.refreshToken != "" {
			seen = RotationOn
		}
		c.rotation.Store(int32(seen))
	}
	return r, nil
}

// verifyAnswer verifies the tokens of r, unless it has been done.
func (c *Client) verifyAnswer(ctx context.Context, r *refreshed) error {
	if r.pair.Load() != nil {
		return nil
	}
	access, id, err := c.verifyPair(ctx, r.accessToken, r.idToken)
	switch {
	case errors.Is(err, amplify.ErrUnauthenticated):
		// It is the answer that is wrong, not the request.
		return &amplify.Error{
			Name:               "TokenRefreshException",
			Message:            fmt.Sprintf("The user pool answered a refresh with tokens that do not verify (%s).", amplify.ReasonOf(err)),
			RecoverySuggestion: "Check that Endpoints.UserPool and Endpoints.UserPoolKeys belong to the same user pool.",
		}
	case err != nil:
		return err
	case access.claims.IssuedAt.IsZero(): // then its lifetime is unknown
		return &amplify.Error{Name: "iatNotFoundException", Message: "iat not found in access token"}
	}
	r.pair.Store(&pair{access, id})
	return nil
}

// observe learns how far the App's clock is from Cognito's.
func (c *Client) observe(date time.Time) {
	skew := date.Sub(c.app.Now())
	if skew.Abs() < minSkew {
		skew = 0
	}
	c.skew.Store(int64(skew))
}

// refreshError judges why the user pool refused a refresh; refused is the reason if it did so for good.
func refreshError(e *amplify.Error, refused amplify.Reason) error {
	switch e.Name {
	case "NotAuthorizedException":
		if strings.Contains(strings.ToLower(e.Message), "secret") {
			// "Client … is configured with secret but …": that is about this server, not about the session.
			e.Reason = amplify.ReasonConfiguration
			e.RecoverySuggestion = "Set Options.ClientSecret of package cognito to the secret of the app client, or to nothing if it has none."
			return e
		}
		// To Amplify JS this is no error: the user is signed out.
		return amplify.Unauthenticated(refused, e)
	case "UserNotFoundException", "PasswordResetRequiredException", "UserNotConfirmedException":
		refused = amplify.ReasonRefreshRejected // whatever became of the refresh token
		fallthrough
	case "TokenRevokedException", "RefreshTokenReuseException":
		// The session is over, too, but Amplify JS tells the caller by this name.
		e.Reason = refused
		e.Err = amplify.Unauthenticated(refused, e.Err)
	case "ResourceNotFoundException":
		e.Reason = amplify.ReasonConfiguration
		e.RecoverySuggestion = "Check the ids of the user pool and the app client."
	}
	return e
}

// errNoRefreshToken is the error for tokens that are good but cannot be refreshed on demand.
var errNoRefreshToken = &amplify.Error{
	Name:               "TokenRefreshException",
	Message:            "The session has no refresh token.",
	RecoverySuggestion: "Force a refresh only where the session comes from a sign-in that gave a refresh token.",
}
