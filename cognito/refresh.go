package cognito

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/cognitoapi"
	"github.com/amplify-go/amplify/internal/sessionkey"
	"github.com/amplify-go/amplify/internal/token"
)

// minSkew is the difference between two clocks that is taken for one: a Date header has no
// fractions, and answers travel.
const minSkew = 5 * time.Second

// refresh returns the successor of cur, whose tokens it has kept in the storage as far as that is
// writable. expired tells what the caller is left with if there is none.
func (p *provider) refresh(ctx context.Context, cur *current, in amplify.TokensInput, expired bool) (*current, error) {
	c := p.client
	if cur.refreshToken == "" {
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
	refreshToken, answer, err := p.redeemOne(ctx, cur, in)

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != cur || p.refused != nil {
		// Another goroutine of this request has refreshed, started or ended the session.
		if p.current == nil && p.refused == nil {
			return nil, amplify.Unauthenticated(amplify.ReasonSessionReplaced, nil)
		}
		return p.current, p.refused
	}
	if err == nil {
		var next *current
		if next, err = p.keep(ctx, cur, refreshToken, answer, writable); err == nil {
			p.current = next
			return next, nil
		}
		p.refused = err
	}
	if ended(err) {
		p.refused = err
		p.delete(ctx, cur.user)
	}
	return nil, err
}

// redeemOne redeems the refresh token of cur. If the request carries several, it returns the first
// that the user pool takes for this user, and what it answered: a session does not end because of a
// cookie that somebody has put beside its own. The error is that of the first one otherwise.
func (p *provider) redeemOne(ctx context.Context, cur *current, in amplify.TokensInput) (refreshToken string, answer *issued, err error) {
	c := p.client
	tokens, deviceKey := p.refreshTokens(cur)
	var refused error
	for _, refreshToken = range tokens {
		answer, err = c.refresh(ctx, cur.session, refreshToken, deviceKey, in)
		if err == nil && answer.pair.Load().Access.Payload.Subject != cur.accessClaims.Subject {
			// The refresh token was not this user's. Nothing of the answer may be used.
			err = amplify.Unauthenticated(amplify.ReasonUserMismatch, nil)
		}
		switch amplify.ReasonOf(err) {
		case amplify.ReasonRefreshRejected, amplify.ReasonRefreshAnswerLost, amplify.ReasonUserMismatch:
			if refused == nil {
				refused = err
			}
		default:
			return refreshToken, answer, err
		}
	}
	return "", nil, refused
}

// refreshTokens returns the refresh tokens that may be that of cur, the likeliest first, and the
// key of the user's device.
func (p *provider) refreshTokens(cur *current) (tokens []string, deviceKey string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stored == nil || cur.refreshed {
		return []string{cur.refreshToken}, ""
	}
	return p.client.sortTokens(p.stored.refreshTokens(cur.user, cur.refreshToken), cur.session), p.stored.deviceKey(cur.user)
}

// sortTokens puts the refresh token in front that is known to belong to s.
func (c *Client) sortTokens(tokens []string, s *session) []string {
	if len(tokens) < 2 || s.refreshHash == (tokenHash{}) {
		return tokens
	}
	if i := slices.IndexFunc(tokens, func(token string) bool { return c.hash(token) == s.refreshHash }); i > 0 {
		tokens[0], tokens[i] = tokens[i], tokens[0]
	}
	return tokens
}

// keep makes answer, which refreshToken was redeemed for, the request's session, and writes it to
// the storage if it is writable. p.mu is held.
func (p *provider) keep(ctx context.Context, cur *current, refreshToken string, answer *issued, writable bool) (*current, error) {
	c := p.client
	access, id := answer.pair.Load().Access, answer.pair.Load().ID
	next := &current{
		session:      newSession(access, id),
		user:         cur.user,
		refreshToken: refreshToken,
		details:      cur.details,
		refreshed:    true,
	}
	if answer.refreshToken != "" {
		next.refreshToken = answer.refreshToken
	}
	next.refreshHash = c.hash(next.refreshToken)
	next.setTokens(access.Raw, id.Raw)
	// A token just refreshed is good for its lifetime, whatever this server's clock makes of its
	// exp: it would be refreshed with every request otherwise.
	next.expires = answer.received.Add(next.session.expires.Sub(access.Payload.IssuedAt))
	if !writable {
		if answer.refreshToken != "" {
			c.app.Logger().WarnContext(ctx, "amplify: a refresh rotated the refresh token where no cookie could be set; the session is lost",
				"advice", "leave Options.RefreshTokenRotation on RotationAuto or set RotationOn")
		}
		return next, nil
	}
	if err := c.write(p.kv, next, access.Raw, id.Raw); err != nil {
		return nil, err
	}
	p.purge(ctx, next.user)
	return next, nil
}

// write keeps the session of cur in kv, or nothing of it, and remembers it.
func (c *Client) write(kv amplify.KeyValueStorage, cur *current, access, id string) error {
	if err := amplify.SetAll(kv, c.entries(cur, access, id)...); err != nil {
		var tooLarge amplify.ValueTooLargeError
		if errors.As(err, &tooLarge) {
			return amplify.Unauthenticated(amplify.ReasonTokenTooLarge, err)
		}
		return &amplify.Error{
			Name: "TokenRefreshException", Reason: amplify.ReasonConfiguration,
			Message: "The session's tokens could not be kept.", Err: err,
		}
	}
	c.sessions.Set(cookiesKey(access, id), cur.session)
	return nil
}

// entries returns what is kept of the session of cur, by key.
func (c *Client) entries(cur *current, access, id string) [][2]string {
	prefix := c.prefix + cur.user + "."
	entries := [][2]string{
		{c.prefix + sessionkey.LastAuthUser, cur.user},
		{prefix + sessionkey.AccessToken, access},
		{prefix + sessionkey.IDToken, id},
	}
	if cur.refreshToken != "" {
		entries = append(entries, [2]string{prefix + sessionkey.RefreshToken, cur.refreshToken})
	}
	if cur.details != "" {
		entries = append(entries, [2]string{prefix + sessionkey.SignInDetails, cur.details})
	}
	return entries
}

// rotates reports whether refresh tokens are to be taken for rotating.
func (c *Client) rotates() bool { return RefreshTokenRotation(c.rotation.Load()) != RotationOff }

// refresh redeems the refresh token of a session. Callers with the same token share one call to the
// user pool, and a caller that gives up does not cancel it for the others. Those that come shortly
// after get the same answer.
func (c *Client) refresh(ctx context.Context, of *session, refreshToken, deviceKey string, in amplify.TokensInput) (*issued, error) {
	r := c.newRedemption(of, refreshToken, deviceKey, in)
	answer, err := c.refreshes.do(ctx, r.hash, r.do)
	if err == nil && c.ended.has(c.now(), sessionID(r.hash), lineage(answer.pair.Load().Access), lineage(answer.pair.Load().ID)) {
		return nil, errSignedOut() // meanwhile
	}
	return answer, err
}

// redemption is one refresh: what is redeemed, and on whose behalf.
type redemption struct {
	client       *Client
	hash         tokenHash
	refreshToken string
	deviceKey    string
	metadata     map[string]string
	force        bool
	presented    *session
}

// newRedemption returns a redemption that keeps none of the request's memory: it may outlive the
// request, and an adapter may use that memory again.
func (c *Client) newRedemption(of *session, refreshToken, deviceKey string, in amplify.TokensInput) *redemption {
	return &redemption{
		client:       c,
		hash:         c.hash(refreshToken),
		refreshToken: strings.Clone(refreshToken),
		deviceKey:    strings.Clone(deviceKey),
		metadata:     maps.Clone(in.ClientMetadata),
		force:        in.ForceRefresh,
		presented:    of,
	}
}

// do returns the answer, verified, from memory or from the user pool.
func (r *redemption) do(ctx context.Context) (*issued, error) {
	c := r.client
	if c.ended.has(c.now(), sessionID(r.hash)) {
		return nil, errSignedOut()
	}
	if answer := c.handoff.refreshed(r.hash, c.now(), r.force); answer != nil {
		if err := c.verifyAnswer(ctx, answer); err != nil {
			return nil, err
		}
		if r.isNewer(answer) {
			return answer, nil
		}
	}
	if refusal, ok := c.refusals.get(r.hash, c.now()); ok {
		return nil, refusal
	}
	giveBack, err := c.budget.take(r)
	if err != nil {
		return nil, err
	}
	answer, err := r.redeem(ctx)
	if !ended(err) {
		giveBack()
	}
	if err != nil {
		if ended(err) {
			now := c.now()
			c.refusals.put(r.hash, err, now, now.Add(refusalAge))
			c.handoff.end(r.hash, now)
		}
		return nil, err
	}
	// Before it is verified: if that has to wait for keys, what may be the only successor of a
	// rotated refresh token must not be lost.
	c.handoff.put(r.hash, answer)
	return answer, c.verifyAnswer(ctx, answer)
}

// isNewer reports whether the tokens of an answer from memory are of use to the caller: they have
// not expired, and last longer than what the caller presents.
func (r *redemption) isNewer(answer *issued) bool {
	s := answer.pair.Load()
	_, expires := token.Span(s.Access.Payload, s.ID.Payload)
	return r.client.now().Before(expires) && !expires.Before(r.presented.expires)
}

// redeem asks the user pool.
func (r *redemption) redeem(ctx context.Context) (*issued, error) {
	c := r.client
	client, err := cognitoapi.UserPool(c.app)
	if err != nil {
		return nil, err
	}
	in := &cognitoidentityprovider.GetTokensFromRefreshTokenInput{
		ClientId:       aws.String(c.clientID),
		RefreshToken:   aws.String(r.refreshToken),
		ClientMetadata: r.metadata,
	}
	if secret := c.options.ClientSecret; !secret.IsZero() {
		in.ClientSecret = aws.String(secret.Reveal())
	}
	if r.deviceKey != "" {
		in.DeviceKey = aws.String(r.deviceKey)
	}
	var out *cognitoidentityprovider.GetTokensFromRefreshTokenOutput
	if err := c.refreshCalls.do(c.app.Now, func() (err error) {
		out, err = hedged(ctx, c.work, func(ctx context.Context) (*cognitoidentityprovider.GetTokensFromRefreshTokenOutput, error) {
			return client.GetTokensFromRefreshToken(ctx, in, patient(c.app), onUnanswered(func() {
				if context.Cause(ctx) == errOtherAnswer {
					return
				}
				now := c.now()
				c.unanswered.put(r.hash, struct{}{}, now, now.Add(unansweredAge))
			}))
		})
		return err
	}); err != nil {
		refused := amplify.ReasonRefreshRejected
		if _, lost := c.unanswered.get(r.hash, c.now()); lost && c.rotates() {
			refused = amplify.ReasonRefreshAnswerLost
		}
		err := refreshError(err, refused)
		c.app.Logger().InfoContext(ctx, "amplify: a refresh failed", "error", err)
		if ended(err) && RefreshTokenRotation(c.rotation.Load()) == RotationOn {
			c.advise(ctx, &c.told.reuse, "amplify: the user pool refused a refresh token, and rotates them",
				"Where browsers refresh as well as this server, each can present a token that the other has replaced. "+
					"Give the app client a grace period: RefreshTokenRotation, RetryGracePeriodSeconds, up to 60.")
		}
		return nil, err
	}
	c.unanswered.delete(r.hash)
	if date, ok := awsmiddleware.GetServerTime(out.ResultMetadata); ok {
		c.observe(date)
	}
	result := out.AuthenticationResult
	if result == nil || aws.ToString(result.AccessToken) == "" || aws.ToString(result.IdToken) == "" {
		return nil, &amplify.Error{Name: "Unknown", Message: "The user pool answered a refresh without an access and an ID token."}
	}
	answer := c.newIssued(*result.AccessToken, *result.IdToken, aws.ToString(result.RefreshToken))
	if c.options.RefreshTokenRotation == RotationAuto {
		seen := RotationOff
		if answer.refreshToken != "" {
			seen = RotationOn
		}
		c.rotation.Store(int32(seen))
	}
	return answer, nil
}

func (c *Client) newIssued(access, id, refresh string) *issued {
	r := &issued{accessToken: access, idToken: id, refreshToken: refresh, received: c.now()}
	if refresh != "" {
		r.next = c.hash(refresh)
	}
	return r
}

// verifyAnswer verifies the tokens of an answer, unless it has been done.
func (c *Client) verifyAnswer(ctx context.Context, r *issued) error {
	if r.pair.Load() != nil {
		return nil
	}
	p, err := c.verifyPair(ctx, r.accessToken, r.idToken)
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
	case p.Access.Payload.IssuedAt.IsZero(): // then its lifetime is unknown
		return &amplify.Error{Name: "iatNotFoundException", Message: "iat not found in access token"}
	}
	r.pair.Store(p)
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

// refreshError judges why the user pool refused a refresh. refused is the reason if it did so for
// good.
func refreshError(e *amplify.Error, refused amplify.Reason) error {
	switch e.Name {
	case "NotAuthorizedException":
		if strings.Contains(strings.ToLower(e.Message), "secret") {
			// "Client … is configured with secret but …": that is about this server, not about the
			// session.
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
