package cognito

import (
	"context"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/smithy-go/middleware"
	"github.com/maypok86/otter/v2"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/cognitoapi"
)

// identityPool is the identity pool of an App and what is known from it. Cognito's quotas are
// small: 25 calls of GetId and 200 of GetCredentialsForIdentity a second for a whole account and
// region. So nothing is asked twice.
type identityPool struct {
	client       *Client
	id           string
	allowsGuests bool

	users                     *grants                         // by ID token, since a user's role may come from it
	identities                *otter.Cache[sessionID, string] // ids of users, by identity pool, issuer, sub and audience
	idFlights                 flights[string]                 // of users, by the same
	guests                    *guests
	idCalls, credentialsCalls cooldown
}

func newIdentityPool(c *Client, auth *amplify.AuthConfig, size int) (*identityPool, error) {
	p := &identityPool{client: c, id: auth.IdentityPoolID, allowsGuests: auth.AllowGuestAccess}
	p.idFlights.work = c.work
	var err error
	if p.identities, err = otter.New(&otter.Options[sessionID, string]{MaximumSize: size}); err != nil {
		return nil, err
	}
	if p.users, err = newGrants(c, size); err != nil {
		return nil, err
	}
	p.guests, err = newGuests(c)
	return p, err
}

// userCredentials returns the credentials of the user of cur. guest is the id that the same browser
// had as a guest, if that is to become the user's; or "".
func (p *identityPool) userCredentials(ctx context.Context, cur *current, guest string, force bool) (*amplify.Credentials, error) {
	if !force { // without what follows, for most requests
		if given, refusal := p.users.known(cur.idHash); given != nil || refusal != nil {
			return answer(given, refusal)
		}
	}
	claims := &cur.idClaims
	return p.users.get(ctx, cur.idHash, force, &user{
		pool: p, session: cur.session, guest: guest,
		// Calls may outlive the request, whose memory an adapter may use again.
		logins: map[string]string{strings.TrimPrefix(claims.Issuer, "https://"): strings.Clone(cur.id.Reveal())},
		key:    newSessionID("identity", p.id, claims.Issuer, claims.Subject, claims.ClientID),
	})
}

// user asks for the credentials of a signed-in user.
type user struct {
	pool    *identityPool
	session *session
	guest   string // the identity that the browser had as a guest, or ""
	logins  map[string]string
	key     sessionID // of the user's identity
}

func (u *user) hasEnded() bool { return u.pool.client.hasEnded(u.session) }

func (u *user) credentials(ctx context.Context) (*amplify.Credentials, error) {
	id, known := u.pool.identities.GetIfPresent(u.key)
	if !known {
		id = u.guest
	}
	if id != "" {
		c, err := u.of(ctx, id)
		switch {
		case err == nil:
			return c, nil
		case known && !isNamed(err, "ResourceNotFoundException"), !known && !definite(err):
			return nil, err
		}
		// The identity was deleted, or that of the guest is not to be had.
		u.pool.identities.Invalidate(u.key)
	}
	id, err := u.pool.idFlights.do(ctx, u.key, u.identity)
	if err != nil {
		return nil, err
	}
	return u.of(ctx, id)
}

// of returns the credentials of an identity of the user. The answer may name another identity,
// which then is the user's.
func (u *user) of(ctx context.Context, id string) (*amplify.Credentials, error) {
	c, err := u.pool.getCredentials(ctx, id, u.logins)
	if err == nil {
		u.pool.identities.Set(u.key, c.IdentityID)
	}
	return c, err
}

// identity returns the id of the user's identity, and remembers it.
func (u *user) identity(ctx context.Context) (string, error) {
	if id, ok := u.pool.identities.GetIfPresent(u.key); ok {
		return id, nil
	}
	id, err := u.pool.getID(ctx, u.logins)
	if err == nil {
		u.pool.identities.Set(u.key, id)
	}
	return id, err
}

// getID asks for the identity of a user or, without logins, for that of a new guest.
func (p *identityPool) getID(ctx context.Context, logins map[string]string) (string, error) {
	client, err := cognitoapi.IdentityPool(p.client.app)
	if err != nil {
		return "", err
	}
	var out *cognitoidentity.GetIdOutput
	if err := p.idCalls.do(p.client.app.Now, func() (err error) {
		out, err = client.GetId(ctx, &cognitoidentity.GetIdInput{IdentityPoolId: aws.String(p.id), Logins: logins})
		return err
	}); err != nil {
		return "", p.failed(ctx, "GetId", slog.LevelInfo, err)
	}
	p.observe(out.ResultMetadata)
	if aws.ToString(out.IdentityId) == "" {
		return "", &amplify.Error{
			Name:               "GetIdResponseException",
			Message:            "Received undefined response from getId operation",
			RecoverySuggestion: "Make sure to pass a valid identityPoolId in the configuration.",
		}
	}
	return *out.IdentityId, nil
}

// getCredentials asks for the credentials of an identity; logins are nil for a guest's. The answer
// may name another identity.
func (p *identityPool) getCredentials(ctx context.Context, identityID string, logins map[string]string) (*amplify.Credentials, error) {
	client, err := cognitoapi.IdentityPool(p.client.app)
	if err != nil {
		return nil, err
	}
	var out *cognitoidentity.GetCredentialsForIdentityOutput
	if err := p.credentialsCalls.do(p.client.app.Now, func() (err error) {
		out, err = client.GetCredentialsForIdentity(ctx, &cognitoidentity.GetCredentialsForIdentityInput{
			IdentityId: aws.String(identityID), Logins: logins,
		})
		return err
	}); err != nil {
		level := slog.LevelInfo
		if logins == nil && definite(err) {
			level = slog.LevelDebug // visitors may make up identities
		}
		return nil, p.failed(ctx, "GetCredentialsForIdentity", level, err)
	}
	p.observe(out.ResultMetadata)
	c := out.Credentials
	if c == nil || aws.ToString(c.AccessKeyId) == "" || aws.ToString(c.SecretKey) == "" {
		name := "CredentialsException"
		if logins == nil {
			name = "CredentialsNotFoundException"
		}
		return nil, &amplify.Error{Name: name, Message: "Cognito did not respond with either Credentials, AccessKeyId or SecretKey."}
	}
	if id := aws.ToString(out.IdentityId); id != "" {
		identityID = id
	}
	return &amplify.Credentials{
		AccessKeyID:     *c.AccessKeyId,
		SecretAccessKey: amplify.NewSecret(*c.SecretKey),
		SessionToken:    amplify.NewSecret(aws.ToString(c.SessionToken)),
		Expires:         aws.ToTime(c.Expiration),
		IdentityID:      identityID,
	}, nil
}

func (p *identityPool) observe(metadata middleware.Metadata) {
	if date, ok := awsmiddleware.GetServerTime(metadata); ok {
		p.client.observe(date)
	}
}

// failed completes and logs an error of the identity pool.
func (p *identityPool) failed(ctx context.Context, operation string, level slog.Level, e *amplify.Error) error {
	switch e.Name {
	case "ResourceNotFoundException":
		e.RecoverySuggestion = "Check the id of the identity pool."
	case "InvalidIdentityPoolConfigurationException":
		e.RecoverySuggestion = "Give the identity pool roles for its users and guests, with a trust policy that names the identity pool."
	case "NotAuthorizedException":
		e.RecoverySuggestion = "Check that the identity pool trusts the user pool and the app client, and allows guests if Auth.AllowGuestAccess says so."
	}
	p.client.app.Logger().Log(ctx, level, "amplify: the identity pool refused a call", "operation", operation, "error", e)
	return e
}
