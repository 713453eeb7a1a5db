package cognito

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/amplify-go/amplify"
)

// Client is the long-lived half of a session source: one per App, shared by all requests.
// It is safe for concurrent use.
type Client struct {
	app      *amplify.App
	options  Options
	poolID   string
	clientID string
	prefix   string // of the keys of this app client's sessions

	issuers  map[string]*keySet // by iss
	sessions *otter.Cache[sessionID, *session]

	refreshes    flights[*refreshed] // by refresh token
	refreshCalls cooldown
	handoff      *handoff                          // what refreshes answered
	unanswered   *otter.Cache[tokenHash, struct{}] // refresh tokens sent without an answer
	rotation     atomic.Int32                      // a RefreshTokenRotation: what they have shown so far

	identities *identityPool // nil if the configuration has none
	skew       atomic.Int64  // a time.Duration: Cognito's clock minus the App's
	work       *work
}

// Options are the rules of sessions. The zero value is right for an app client without a secret.
type Options struct {
	// ClientSecret is the secret of the app client, if it has one.
	ClientSecret amplify.Secret
	// Leeway is how far this server's clock may differ from Cognito's before tokens are taken for
	// expired or not yet valid. It never delays a refresh, and never exceeds [MaxLeeway].
	Leeway time.Duration
	// ReplicaRegions are the other regions of a replicated user pool, such as "eu-central-1". Tokens
	// minted there name that region in their issuer.
	ReplicaRegions []string
	// RefreshTokenRotation says whether the app client rotates refresh tokens. The outputs do not tell.
	RefreshTokenRotation RefreshTokenRotation
	// Keys is a JSON Web Key Set of the user pool to start with, so that the first requests need not wait
	// for it, or can be answered where it cannot be reached. Fetched keys replace it.
	Keys json.RawMessage
	// MaxSessions bounds how many sessions are remembered, with their AWS credentials. A session takes about
	// 3 KiB with credentials; a forgotten one costs two signature checks, and a call for new credentials. The default is 10,000.
	MaxSessions int
	// RefreshEarly is how long before they expire tokens are refreshed where new ones can be kept, so that those that are
	// still valid can serve while the user pool is in trouble. It is cut to half of the tokens' lifetime. Five seconds is the
	// default and the least.
	RefreshEarly time.Duration
	// GuestIdentity says which identities those have in the identity pool who are not signed in.
	GuestIdentity GuestIdentity
	// BearerClientIDs are app clients, besides the configured one, whose access tokens
	// [Client.BearerTokenProvider] accepts: those of mobile apps and single-page applications, for instance.
	BearerClientIDs []string
}

// MaxLeeway bounds [Options.Leeway].
const MaxLeeway = 5 * time.Minute

// defaultMaxSessions times 3 KiB is 30 MiB.
const defaultMaxSessions = 10_000

// RefreshTokenRotation says whether an app client rotates its refresh tokens: whether a refresh
// answers a new refresh token and makes the old one useless.
//
// With rotation on, a session is refreshed only where the new refresh token can be written back.
// Elsewhere an expired session is refused with [amplify.ReasonRefreshNeedsWritableResponse]: refreshing it would
// lose it.
type RefreshTokenRotation int

// The values of RefreshTokenRotation. Auto takes rotation for on until a refresh shows otherwise.
const (
	RotationAuto RefreshTokenRotation = iota
	RotationOn
	RotationOff
)

// New returns the Cognito of app. It reports every fault of o at once. Where the configuration
// has no user pool, nobody is ever signed in.
//
// Nothing is fetched until it is needed; see [Client.WarmUp].
func New(app *amplify.App, o Options) (*Client, error) {
	c := &Client{app: app, options: o, work: newWork(), handoff: newHandoff()}
	c.refreshes.work = c.work
	var faults []error
	if o.Leeway < 0 || o.Leeway > MaxLeeway {
		faults = append(faults, fmt.Errorf("Options.Leeway is %v: choose 0 to %v", o.Leeway, MaxLeeway))
	}
	if o.RefreshTokenRotation < RotationAuto || o.RefreshTokenRotation > RotationOff {
		faults = append(faults, fmt.Errorf("Options.RefreshTokenRotation is %d: choose RotationAuto, RotationOn or RotationOff", o.RefreshTokenRotation))
	}
	if o.RefreshEarly < 0 {
		faults = append(faults, fmt.Errorf("Options.RefreshEarly is %v: choose a positive duration, or 0", o.RefreshEarly))
	}
	if o.GuestIdentity < GuestShared || o.GuestIdentity > GuestPerVisitor {
		faults = append(faults, fmt.Errorf("Options.GuestIdentity is %d: choose GuestShared or GuestPerVisitor", o.GuestIdentity))
	}
	if o.MaxSessions < 0 {
		faults = append(faults, fmt.Errorf("Options.MaxSessions is %d: choose a positive number, or 0 for %d", o.MaxSessions, defaultMaxSessions))
	}
	if slices.Contains(o.BearerClientIDs, "") {
		faults = append(faults, errors.New("Options.BearerClientIDs contains an empty id"))
	}
	if auth := app.Config().Auth; auth != nil && auth.UserPoolID != "" {
		c.poolID, c.clientID = auth.UserPoolID, auth.UserPoolClientID
		c.prefix = "CognitoIdentityServiceProvider." + c.clientID + "."
		var err error
		if c.issuers, err = issuers(app, c.work, c.poolID, o); err != nil {
			faults = append(faults, err)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, &amplify.Error{
			Name:    "InvalidParameterException",
			Reason:  amplify.ReasonConfiguration,
			Message: "The options of cognito.New are not valid.",
			Err:     err,
		}
	}
	c.rotation.Store(int32(o.RefreshTokenRotation))
	size := o.MaxSessions
	if size == 0 {
		size = defaultMaxSessions
	}
	var err error
	if c.sessions, err = otter.New(&otter.Options[sessionID, *session]{MaximumSize: size}); err != nil {
		return nil, err
	}
	if c.unanswered, err = otter.New(&otter.Options[tokenHash, struct{}]{MaximumSize: maxUnanswered}); err != nil {
		return nil, err
	}
	if auth := app.Config().Auth; auth != nil && auth.IdentityPoolID != "" {
		if c.identities, err = newIdentityPool(c, auth, size); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// WarmUp fetches the keys of the user pool, so that the first request need not wait for them. A server
// may call it before it listens; an error need not keep it from starting, since keys are fetched again when
// they are needed.
func (c *Client) WarmUp(ctx context.Context) error {
	if c.poolID == "" {
		return nil
	}
	return c.issuers[issuer(c.poolID)].warmUp(ctx)
}

// Close waits until what runs in the background has ended, having told it to. Requests that still
// use c may fail. Close may be called more than once.
func (c *Client) Close(ctx context.Context) error { return c.work.close(ctx) }

// now tells Cognito's time: the App's clock, corrected by what Cognito last answered in a Date header.
func (c *Client) now() time.Time { return c.app.Now().Add(time.Duration(c.skew.Load())) }
