package cognito

import (
	"context"
	"regexp"
	"strings"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

// GuestIdentity says which identities guests have: visitors who are not signed in.
type GuestIdentity int

// The values of GuestIdentity.
const (
	// GuestShared gives all guests one identity per process. It is never kept in a cookie and never
	// becomes a user's. A visitor to whom the browser's Amplify JS has given an identity acts under
	// that.
	GuestShared GuestIdentity = iota
	// GuestPerVisitor gives each visitor an identity, as Amplify JS does on servers: it is kept in
	// the cookie "com.amplify.Cognito.<identity pool>.identityId", and becomes the user's when the
	// visitor signs in. Each visitor without cookies, such as a crawler, makes one more identity in
	// the identity pool. The shared one serves where none can be kept: in static and read-only
	// contexts and with server-side sign-in.
	GuestPerVisitor
)

const (
	// maxGuests bounds how many visitors' own identities are remembered.
	maxGuests = 10_000

	// Visitors choose what stands in their cookies. Ids that are not known here, made up perhaps,
	// may use up a quarter of Cognito's default quota for GetCredentialsForIdentity (200 a second),
	// and those that the identity pool has given credentials for as much again. New guests may use
	// up less than half of the quota for GetId (25 a second).
	unprovenRate, unprovenBurst = 50, 100
	provenRate, provenBurst     = 50, 100
	newGuestRate, newGuestBurst = 10, 20
)

// guests is what is known of visitors who are not signed in.
type guests struct {
	grants *grants                // of visitors' own identities, by id, and of the shared one
	shared atomic.Pointer[string] // the id of the shared one

	unproven, proven *rate.Limiter // of calls for ids that come from a cookie
	created          *rate.Limiter // of new identities of visitors
}

func newGuests(c *Client) (*guests, error) {
	grants, err := newGrants(c, maxGuests)
	return &guests{
		grants:   grants,
		unproven: rate.NewLimiter(unprovenRate, unprovenBurst),
		proven:   rate.NewLimiter(provenRate, provenBurst),
		created:  rate.NewLimiter(newGuestRate, newGuestBurst),
	}, err
}

// noLogins is how GetId is asked for a new guest. GetCredentialsForIdentity takes none at all.
var noLogins = map[string]string{}

// sharedGuest returns the credentials of the guest of this process.
func (p *identityPool) sharedGuest(ctx context.Context, force bool) (*amplify.Credentials, error) {
	return p.guests.grants.get(ctx, newSessionID("shared guest"), force, sharedGuest{p})
}

// sharedGuest asks for the credentials of the guest of this process.
type sharedGuest struct{ pool *identityPool }

func (sharedGuest) hasEnded() bool { return false }

func (s sharedGuest) credentials(ctx context.Context) (*amplify.Credentials, error) {
	shared := &s.pool.guests.shared
	if id := shared.Load(); id != nil {
		c, err := s.pool.getCredentials(ctx, *id, nil)
		if !isNamed(err, "ResourceNotFoundException") {
			return c, err
		}
		// The identity was deleted.
	}
	id, err := s.pool.getID(ctx, noLogins)
	if err != nil {
		return nil, err
	}
	shared.Store(&id)
	return s.pool.getCredentials(ctx, id, nil)
}

// ownGuest returns the credentials of the guest whose id a visitor has presented. Cognito refuses
// ids of users, to whom it gives credentials for their tokens alone. created says that the identity
// pool has just made the identity: made-up ones must not keep new visitors from theirs.
func (p *identityPool) ownGuest(ctx context.Context, id string, force, created bool) (*amplify.Credentials, error) {
	key := newSessionID("guest", id)
	return p.guests.grants.get(ctx, key, force, ownGuest{p, id, created || p.guests.grants.isProven(key)})
}

// ownGuest asks for the credentials of a visitor's own identity.
type ownGuest struct {
	pool   *identityPool
	id     string
	proven bool // the identity pool has given credentials for id before, or id itself
}

func (ownGuest) hasEnded() bool { return false }

func (o ownGuest) credentials(ctx context.Context) (*amplify.Credentials, error) {
	budget := o.pool.guests.unproven
	if o.proven {
		budget = o.pool.guests.proven
	}
	if !budget.AllowN(o.pool.client.app.Now(), 1) {
		return nil, &amplify.Error{
			Name: "TooManyRequestsException", Reason: amplify.ReasonServiceUnavailable,
			Message: "Too many visitors present guest identities that are not known here.",
		}
	}
	return o.pool.getCredentials(ctx, o.id, nil)
}

// guestIDs is the pattern of IdentityId in the Amazon Cognito identity pools API reference, less
// strict on what follows the region.
var guestIDs = regexp.MustCompile(`^[\w-]{1,55}:[\w-]{1,55}$`)

// guestKey is the key under which Amplify JS keeps the identity of a guest.
func (p *identityPool) guestKey() string { return sessionkey.Identity(p.id) }

// guestID returns the id of a guest that kv holds, or "". Texts that are no id of this region are
// not sent anywhere.
func (p *identityPool) guestID(kv amplify.KeyValueStorage) string {
	key := p.guestKey()
	region, _, _ := strings.Cut(p.id, ":")
	for k, id := range kv.All(key) {
		if k == key && len(id) <= 55 && strings.HasPrefix(id, region+":") && guestIDs.MatchString(id) {
			return strings.Clone(id)
		}
	}
	return ""
}
