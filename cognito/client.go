package cognito

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/sessionkey"
	"github.com/amplify-go/amplify/internal/token"
)

// Client is the long-lived half of a session source: one per App, shared by all requests. It is
// safe for concurrent use.
type Client struct {
	app      *amplify.App
	options  Options
	poolID   string
	clientID string
	prefix   string // of the keys of this app client's sessions

	issuers  map[string]*keySet // by iss
	sessions *otter.Cache[sessionID, *session]
	ended    *endedSessions

	refreshes    flights[*issued] // by refresh token
	refreshCalls cooldown
	handoff      *handoff
	refusals     *recent[tokenHash, error] // of refresh tokens
	budget       *refusalBudget
	unanswered   *recent[tokenHash, struct{}] // refresh tokens that were sent without an answer
	rotation     atomic.Int32                 // a RefreshTokenRotation: what refreshes have shown so far

	exchanges    flights[*issued] // by authorization code
	refusedCodes *recent[tokenHash, error]
	revocations  flights[struct{}]

	unprovenRevocations *rate.Limiter // of refresh tokens that no session belongs to

	identities *identityPool // nil if the configuration has none
	skew       atomic.Int64  // a time.Duration: Cognito's clock minus the App's
	work       *work
	// told holds what advise has been called for.
	told struct{ duplicates, reuse, unknownKey atomic.Bool }
}

// Options are the rules of sessions. The zero value is right for an app client without a secret.
type Options struct {
	// ClientSecret is the secret of the app client, if it has one.
	ClientSecret amplify.Secret
	// Leeway is how far this server's clock may differ from Cognito's before tokens are taken for
	// expired or not yet valid: up to [MaxLeeway]. It never delays a refresh.
	Leeway time.Duration
	// ReplicaRegions are the other regions of a replicated user pool, such as "eu-central-1".
	// Tokens minted there name that region in their issuer.
	ReplicaRegions []string
	// Issuers are further issuers of the user pool, such as
	// "https://issuer.example.com/eu-west-1_Abc", for partitions and addresses that this library
	// does not know. The issuers that follow from the pool's id and from ReplicaRegions need not be
	// listed.
	Issuers []string
	// RefreshTokenRotation says whether the app client rotates refresh tokens. The outputs do not
	// tell.
	RefreshTokenRotation RefreshTokenRotation
	// Keys is a JSON Web Key Set of the user pool to start with. The first requests then need not
	// wait for it, and are answered even if it cannot be fetched. Fetched keys replace it.
	Keys json.RawMessage
	// MaxSessions bounds how many sessions are remembered, with their AWS credentials. The default
	// is 10,000. A session takes about 3 KiB with credentials. One that is not remembered costs two
	// signature checks, and a call for new credentials.
	MaxSessions int
	// RefreshEarly is how long before they expire tokens are refreshed if new ones can be kept.
	// Tokens that are still valid then serve while the user pool is in trouble. It is cut to half
	// of the tokens' lifetime. Five seconds is the default and the least.
	RefreshEarly time.Duration
	// GuestIdentity says which identities guests have in the identity pool.
	GuestIdentity GuestIdentity
	// ForgetClients lists app clients that the application used before. Their cookies are deleted
	// when a session is written, before they add up to more than a proxy takes (status 431).
	ForgetClients []string
	// BearerClientIDs are app clients, besides the configured one, whose access tokens
	// [Client.BearerTokenProvider] accepts: those of mobile apps and single-page applications, for
	// instance.
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
// Elsewhere an expired session is refused with [amplify.ReasonRefreshNeedsWritableResponse]: a
// refresh would lose it.
type RefreshTokenRotation int

// The values of RefreshTokenRotation. Auto takes rotation for on until a refresh shows otherwise.
const (
	RotationAuto RefreshTokenRotation = iota
	RotationOn
	RotationOff
)

// Validate reports every fault of the options for a configuration at once: see
// [amplify.ConfigErrors].
func (o Options) Validate(cfg amplify.Config) error {
	var faults []*amplify.ConfigError
	fault := func(field, value, format string, a ...any) {
		faults = append(faults, &amplify.ConfigError{Field: "Options." + field, Value: value, Problem: fmt.Sprintf(format, a...)})
	}
	if o.Leeway < 0 || o.Leeway > MaxLeeway {
		fault("Leeway", o.Leeway.String(), "choose 0 to %v", MaxLeeway)
	}
	if o.RefreshTokenRotation < RotationAuto || o.RefreshTokenRotation > RotationOff {
		fault("RefreshTokenRotation", strconv.Itoa(int(o.RefreshTokenRotation)), "choose RotationAuto, RotationOn or RotationOff")
	}
	if o.RefreshEarly < 0 {
		fault("RefreshEarly", o.RefreshEarly.String(), "choose a positive duration, or 0")
	}
	if o.GuestIdentity < GuestShared || o.GuestIdentity > GuestPerVisitor {
		fault("GuestIdentity", strconv.Itoa(int(o.GuestIdentity)), "choose GuestShared or GuestPerVisitor")
	}
	if o.MaxSessions < 0 {
		fault("MaxSessions", strconv.Itoa(o.MaxSessions), "choose a positive number, or 0 for %d", defaultMaxSessions)
	}
	if slices.Contains(o.BearerClientIDs, "") {
		fault("BearerClientIDs", "", "contains an empty id")
	}
	for _, replica := range o.ReplicaRegions {
		if !token.IsRegion(replica) {
			fault("ReplicaRegions", replica, `write a region such as "eu-central-1"`)
		}
	}
	for _, iss := range o.Issuers {
		if cfg.Auth == nil {
			break
		}
		if err := token.ValidIssuer(iss, cfg.Auth.UserPoolID); err != nil {
			fault("Issuers", "", "one %v", err)
		}
	}
	if len(o.Keys) > 0 {
		if _, err := token.ParseKeys(o.Keys); err != nil {
			fault("Keys", "", "%v", err)
		}
	}
	for _, client := range o.ForgetClients {
		switch {
		case client == "" || strings.ContainsAny(client, ".=; "):
			fault("ForgetClients", client, "is not the id of an app client: list ids as Amazon Cognito shows them")
		case cfg.Auth != nil && client == cfg.Auth.UserPoolClientID:
			fault("ForgetClients", client, "is the configured app client, whose sessions would be deleted as they are written: list others only")
		}
	}
	return amplify.NewConfigError(faults...)
}

// New returns the Client of app. It reports every fault of o at once. If the configuration has no
// user pool, no request is ever signed in.
//
// Nothing is fetched until it is needed; see [Client.WarmUp].
func New(app *amplify.App, o Options) (*Client, error) {
	if err := o.Validate(app.Config()); err != nil {
		return nil, err
	}
	c := &Client{
		app: app, options: o, work: newWork(app.Logger),
		ended:        newEndedSessions(),
		handoff:      newHandoff(),
		refusals:     newRecent[tokenHash, error](maxRefusals),
		unanswered:   newRecent[tokenHash, struct{}](maxUnanswered),
		refusedCodes: newRecent[tokenHash, error](maxCodes),

		unprovenRevocations: rate.NewLimiter(unprovenRevocationRate, unprovenRevocationBurst),
	}
	c.budget = newRefusalBudget(c.now)
	c.refreshes.work, c.exchanges.work, c.revocations.work = c.work, c.work, c.work
	c.rotation.Store(int32(o.RefreshTokenRotation))
	auth := app.Config().Auth
	if auth != nil && auth.UserPoolID != "" {
		c.poolID, c.clientID = auth.UserPoolID, auth.UserPoolClientID
		c.prefix = sessionkey.Prefix(c.clientID)
		var err error
		if c.issuers, err = issuers(app, c.work, c.poolID, o); err != nil {
			return nil, err
		}
	}
	size := cmp.Or(o.MaxSessions, defaultMaxSessions)
	var err error
	if c.sessions, err = otter.New(&otter.Options[sessionID, *session]{MaximumSize: size}); err != nil {
		return nil, err
	}
	if auth != nil && auth.IdentityPoolID != "" {
		if c.identities, err = newIdentityPool(c, auth, size); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// WarmUp fetches the keys of the user pool, so that the first request need not wait for them. A
// server may call it before it listens. An error need not keep it from starting: keys are fetched
// again when they are needed.
func (c *Client) WarmUp(ctx context.Context) error {
	if c.poolID == "" {
		return nil
	}
	return c.issuers[token.Issuer(c.poolID)].warmUp(ctx)
}

// Close ends what runs in the background, and waits until it has ended. Requests that still use c
// may fail. Close may be called more than once.
func (c *Client) Close(ctx context.Context) error { return c.work.close(ctx) }

// advise logs advice on how the application is set up, once in the life of c.
func (c *Client) advise(ctx context.Context, told *atomic.Bool, message, advice string) {
	if !told.Swap(true) {
		c.app.Logger().WarnContext(ctx, message, "advice", advice)
	}
}

// adviseOnKeys logs advice if err says that a token names a key which its issuer does not publish.
func (c *Client) adviseOnKeys(ctx context.Context, err error) {
	if amplify.ReasonOf(err) == amplify.ReasonUnknownKey {
		c.advise(ctx, &c.told.unknownKey,
			"amplify: a token names a key that the user pool does not publish",
			"A single such token may be forged, or its key so new that it is found within a minute. "+
				"If no user stays signed in, the user pool was deleted and made again, or a sandbox was "+
				"started again with new keys (amplify-go sandbox keeps them, and for programs "+
				"sandbox.Config.KeyFile does). Users have to sign in again.")
	}
}

// now tells Cognito's time: the App's clock, corrected by the Date header of Cognito's last answer.
func (c *Client) now() time.Time { return c.app.Now().Add(time.Duration(c.skew.Load())) }
