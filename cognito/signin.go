package cognito

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// StoreTokens verifies the tokens that a sign-in has yielded, and keeps them in kv as the session of
// their user. Nothing is kept of tokens that do not verify or that belong to two users: the error then matches
// [amplify.ErrUnauthenticated].
func (c *Client) StoreTokens(ctx context.Context, kv amplify.KeyValueStorage, t amplify.IssuedTokens) error {
	if c.poolID == "" {
		return amplify.Unauthenticated(amplify.ReasonNoSession, errors.New("the configuration has no user pool"))
	}
	// Their times are not looked at: they have just been issued, and the clock of this server may be wrong.
	access, id, err := c.verifyPair(ctx, t.AccessToken.Reveal(), t.IDToken.Reveal())
	if err != nil {
		return err
	}
	user := access.claims.Username
	prefix := c.prefix + user + "."
	entries := [][2]string{
		{prefix + keyAccessToken, t.AccessToken.Reveal()},
		{prefix + keyIDToken, t.IDToken.Reveal()},
	}
	if !t.RefreshToken.IsZero() {
		entries = append(entries, [2]string{prefix + keyRefreshToken, t.RefreshToken.Reveal()})
	}
	entries = append(entries, [2]string{c.prefix + keyLastAuthUser, user})
	if err := amplify.SetAll(kv, entries...); err != nil {
		return err
	}
	if t.RefreshToken.IsZero() {
		// That of an earlier session of this user would not belong to these tokens.
		if err := kv.Delete(prefix + keyRefreshToken); err != nil {
			return err
		}
	}
	c.sessions.Set(newSessionID("cookies", user, t.AccessToken.Reveal(), t.IDToken.Reveal()), newSession(access, id))
	return nil
}

// GlobalSignOut ends all sessions of a user, on whatever device: their refresh tokens are revoked, and
// the user pool accepts their access tokens no more. Servers that merely verify tokens notice when the tokens expire.
func (c *Client) GlobalSignOut(ctx context.Context, access *amplify.Token) error {
	client, err := userPoolClient(c.app)
	if err != nil {
		return err
	}
	if _, err := client.GlobalSignOut(ctx, &cognitoidentityprovider.GlobalSignOutInput{AccessToken: aws.String(access.Reveal())}); err != nil {
		return awsapi.Error(err)
	}
	return nil
}

// Forget forgets what c knows of the sessions in kv, because their user has signed out and their refresh tokens
// have been revoked. Nothing is handed any more to requests that still carry them. Their tokens, which
// would verify until they expire, count as expired: should the browser keep the cookies in spite of all, the user pool
// is asked, and what it says then deletes them. Other processes do not hear of it.
func (c *Client) Forget(kv amplify.KeyValueStorage) {
	st := &stored{prefix: c.prefix}
	st.read(kv)
	for _, v := range st.values {
		if v.key == keyRefreshToken {
			c.handoff.end(c.hash(v.value), c.now())
		}
	}
	for _, user := range st.users() {
		access, accessTokens := st.all(user, keyAccessToken)
		id, idTokens := st.all(user, keyIDToken)
		for i := range accessTokens {
			for j := range idTokens {
				if s, ok := c.sessions.GetIfPresent(newSessionID("cookies", user, access[i], id[j])); ok {
					s.ended.Store(true)
				}
			}
		}
		if c.identities != nil { // after the sessions were marked: see grants.get
			for j := range idTokens {
				c.identities.users.forget(credentialsKey(id[j]))
			}
		}
	}
}
