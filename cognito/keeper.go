package cognito

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
	"github.com/amplify-go/amplify/internal/cognitoapi"
	"github.com/amplify-go/amplify/internal/sessionkey"
	"github.com/amplify-go/amplify/internal/token"
)

// Start implements [amplify.SessionKeeper]. Tokens that do not verify, that belong to two users or
// to a session that has ended, and tokens that are too large for the storage are errors that match
// [amplify.ErrUnauthenticated]. The cookies of other users of this app client, and those of
// [Options.ForgetClients], are deleted.
func (p *provider) Start(ctx context.Context, t amplify.IssuedTokens) error {
	c := p.client
	switch {
	case c.poolID == "":
		return errNoUserPool
	case !p.kv.Writable():
		return amplify.ReadOnlyError()
	case t.IDToken.IsZero():
		return &amplify.Error{
			Name: "InvalidParameterException", Reason: amplify.ReasonConfiguration,
			Message:            "The sign-in has yielded no ID token.",
			RecoverySuggestion: `Add the scope "openid" to the scopes of the sign-in.`,
		}
	}
	// Whether they have expired is not asked: they have just been issued, and the clock of this
	// server may be wrong.
	verified, err := c.verifyPair(ctx, t.AccessToken.Reveal(), t.IDToken.Reveal())
	if err != nil {
		return err
	}
	cur := &current{
		session:      newSession(verified.Access, verified.ID),
		user:         verified.Access.Payload.Username,
		refreshToken: t.RefreshToken.Reveal(),
	}
	if cur.refreshToken != "" {
		cur.refreshHash = c.hash(cur.refreshToken)
	}
	if c.hasEnded(cur.session) || c.ended.has(c.now(), sessionID(cur.refreshHash)) {
		return errSignedOut()
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	if cur.refreshToken == "" {
		// That of an earlier session of this user does not belong to these tokens.
		if err := p.kv.Delete(c.prefix + cur.user + "." + sessionkey.RefreshToken); err != nil {
			return err
		}
	}
	if err := c.write(p.kv, cur, verified.Access.Raw, verified.ID.Raw); err != nil {
		return err
	}
	p.purge(ctx, cur.user)
	p.become(nil, amplify.ReasonSessionReplaced)
	return nil
}

// End implements [amplify.SessionKeeper]. Every session of this app client in the storage ends,
// that of the request first.
//
// A refresh token is revoked only if it stands beside tokens that verify, be they expired. At most
// eight are, of three sessions, and one if that cannot be told. In a user pool without token
// revocation that is no failure. From then on this process refuses the tokens of these sessions;
// other processes accept them until they expire.
func (p *provider) End(ctx context.Context, in amplify.EndInput) error {
	c := p.client
	switch {
	case c.poolID == "":
		return errNoUserPool
	case !p.kv.Writable():
		return amplify.ReadOnlyError()
	}
	var failures []error
	if in.Global {
		failures = append(failures, p.endEverywhere(ctx)) // while there are tokens
	}
	st := &stored{Values: sessionkey.Values{Prefix: c.prefix}}
	unread := st.read(p.kv)
	found := c.sessionsToEnd(ctx, st)
	now := c.now()
	if len(found) == 1 && found[0].session == nil && !c.unprovenRevocations.AllowN(c.app.Now(), 1) {
		found = nil
		failures = append(failures, errManyRevocations)
	}
	for _, f := range found {
		f.forget(c, now)
	}

	p.mu.Lock()
	// The storage first: it must not depend on what the user pool says, and when.
	err := deleteOthers(p.kv, c.prefix, "")
	if c.identities != nil {
		err = errors.Join(err, p.kv.Delete(c.identities.guestKey()))
	}
	p.become(errSignedOut(), amplify.ReasonSignedOut)
	p.mu.Unlock()
	failures = append(failures, err)

	failures = append(failures, c.revokeAll(ctx, found)...)
	if unread != nil { // so that what could not be read is at least selected no more
		failures = append(failures, unread, p.kv.Delete(c.prefix+sessionkey.LastAuthUser))
	}
	return errors.Join(failures...)
}

// Lifetime implements [amplify.SessionKeeper].
func (p *provider) Lifetime() context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.life == nil {
		p.life, p.endLife = context.WithCancelCause(context.Background())
	}
	return p.life
}

// become makes the request one without a session, for the reason refused, or one whose session has
// yet to be read. What was handed out ends. p.mu is held.
func (p *provider) become(refused error, cause amplify.Reason) {
	p.stored, p.current, p.refused = nil, nil, refused
	if p.life != nil {
		p.endLife(amplify.Unauthenticated(cause, nil))
		p.life = nil
	}
}

// purge deletes what would add up in a browser that several people use: the cookies of users of
// this app client other than user, and those of the clients to forget.
func (p *provider) purge(ctx context.Context, user string) {
	c := p.client
	err := deleteOthers(p.kv, c.prefix, user)
	for _, client := range c.options.ForgetClients {
		if err == nil {
			err = deleteAll(p.kv, sessionkey.Prefix(client))
		}
	}
	if err != nil {
		c.app.Logger().WarnContext(ctx, "amplify: the values of other sessions could not all be deleted", "error", err)
	}
}

// endEverywhere ends all sessions of the request's user: their refresh tokens are revoked, and the
// user pool accepts their access tokens no more. Servers that only verify tokens notice when the
// tokens expire.
func (p *provider) endEverywhere(ctx context.Context) error {
	cur, err := p.valid(ctx, amplify.TokensInput{})
	if err != nil {
		return err
	}
	client, err := cognitoapi.UserPool(p.client.app)
	if err != nil {
		return err
	}
	token := strings.Clone(cur.access.Reveal())
	_, err = p.client.revocations.do(ctx, newSessionID("global sign-out", token), func(ctx context.Context) (struct{}, error) {
		if _, err := client.GlobalSignOut(ctx, &cognitoidentityprovider.GlobalSignOutInput{AccessToken: aws.String(token)}); err != nil {
			return struct{}{}, awsapi.Error(err)
		}
		return struct{}{}, nil
	})
	return err
}

// endedSession is a session that is about to end.
type endedSession struct {
	session       *session // nil if its tokens could not be verified
	refreshTokens []string // all that may be the session's, the likeliest first
	revocable     bool     // the user pool revokes its tokens
}

const (
	// maxSessionsToEnd bounds how many sessions one sign-out ends. A browser has one, and now and
	// then one more that another user has left behind.
	maxSessionsToEnd = 3
	// maxRevocations bounds the calls that one sign-out causes. Of cookies of one name it cannot be
	// told which is the user's own.
	maxRevocations = maxRefreshTokens
)

// Anybody can ask for the revocation of a refresh token without tokens beside it, made up perhaps:
// so many calls are made for these a second. Those of sessions that verify do not count.
const unprovenRevocationRate, unprovenRevocationBurst = 10, 50

var errManyRevocations = &amplify.Error{
	Name: "TooManyRequestsException", Reason: amplify.ReasonServiceUnavailable,
	Message: "Too many refresh tokens were to be revoked that no session belongs to.",
}

// sessionsToEnd returns the sessions in st that a sign-out ends, that of LastAuthUser first. A
// session that has ended already is none of them, so that its tokens cause no work a second time.
func (c *Client) sessionsToEnd(ctx context.Context, st *stored) (found []*endedSession) {
	v := c.newVerifier(st.maxBytes)
	users := append(append([]string(nil), st.Users()...), st.otherUsers(maxSessionsToEnd)...)
	for _, user := range users {
		if len(found) >= maxSessionsToEnd || ctx.Err() != nil {
			return found
		}
		if f := c.sessionToEnd(ctx, st, user, v); f != nil {
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		// Its tokens have gone, or cannot be judged: a sign-out must not be in vain for that.
		if token := st.refreshToken(st.Users()[0], 0, 0); token != "" && !c.ended.has(c.now(), sessionID(c.hash(token))) {
			found = append(found, c.newEndedSession(nil, []string{token}))
		}
	}
	return found
}

// sessionToEnd returns a user's session, or nil.
func (c *Client) sessionToEnd(ctx context.Context, st *stored, user string, v *verifier) *endedSession {
	for _, cand := range c.candidates(st, []string{user}, v) {
		s, err := c.judge(ctx, cand, v)
		if err == nil {
			return c.newEndedSession(s, st.refreshTokens(user, st.refreshToken(user, cand.Nth, cand.AccessTokens)))
		}
	}
	// The access token alone proves as well whose the refresh token is.
	access, n := st.All(user, sessionkey.AccessToken)
	for i := range n {
		a, err := v.Verify(ctx, v.Read(access[i], token.UseAccess, c.clientID))
		if err != nil {
			continue
		}
		if s := newSession(a, nil); !c.hasEnded(s) {
			return c.newEndedSession(s, st.refreshTokens(user, st.refreshToken(user, i, n)))
		}
	}
	return nil
}

// newEndedSession returns an endedSession that keeps none of the request's memory: its revocation
// may outlive the request.
func (c *Client) newEndedSession(s *session, refreshTokens []string) *endedSession {
	for i, token := range refreshTokens {
		refreshTokens[i] = strings.Clone(token)
	}
	if s == nil {
		return &endedSession{refreshTokens: refreshTokens, revocable: true}
	}
	return &endedSession{session: s, refreshTokens: c.sortTokens(refreshTokens, s), revocable: s.revocable}
}

// forget sees to it that this process accepts none of the session's tokens any more. What could not
// be verified leaves nothing in memory.
//
// Tokens that have expired prove little: they may have leaked long ago. Together with a refresh
// token that is not known to be theirs they end what can be had by that refresh token, and not the
// session of their user.
func (f *endedSession) forget(c *Client, now time.Time) {
	s := f.session
	if s == nil {
		return
	}
	var ids []sessionID
	proven := now.Before(s.expires)
	for i, token := range f.refreshTokens {
		hash := c.hash(token)
		if i < maxMarkers {
			ids = append(ids, sessionID(hash))
		}
		chain := c.handoff.end(hash, now)
		for _, r := range chain {
			ids = append(ids, r.ids()...)
		}
		proven = proven || len(chain) > 0 || hash == s.refreshHash
	}
	if proven {
		ids = append(ids, s.lineages[:]...)
	}
	// The last token of the session may have been issued just now.
	life := max(s.accessClaims.ExpiresAt.Sub(s.accessClaims.IssuedAt), s.idClaims.ExpiresAt.Sub(s.idClaims.IssuedAt), time.Hour)
	c.ended.add(now, now.Add(min(life, maxTokenLife)), ids...)
	if c.identities != nil { // after the session was marked: see grants.get
		c.identities.users.forget(s.idHash)
	}
}

// maxMarkers bounds how many refresh tokens of one session are remembered as ended. The likeliest
// come first; what others open is refused by its lineage.
const maxMarkers = 3

// maxTokenLife is how long Cognito's access and ID tokens last at most.
const maxTokenLife = 24 * time.Hour

// ids returns what the tokens of r are known by.
func (r *issued) ids() (ids []sessionID) {
	if r.refreshToken != "" {
		ids = append(ids, sessionID(r.next))
	}
	if p := r.pair.Load(); p != nil {
		ids = append(ids, lineage(p.Access), lineage(p.ID))
	}
	return ids
}

var errNoUserPool = &amplify.Error{
	Name: "AuthUserPoolException", Reason: amplify.ReasonConfiguration,
	Message:            "Auth UserPool not configured.",
	RecoverySuggestion: "Make sure that the configuration has a user pool id and a user pool client id.",
}
