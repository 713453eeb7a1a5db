package cognito

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/sessionkey"
)

// Examination is how [Client.TokenProvider] judges the session in a storage, and what it judges by.
// It holds no token. The names in it are those under which values are kept: users' own.
type Examination struct {
	// Err is the provider's error, or nil if it gives tokens. Its [amplify.ReasonOf] says why the
	// request is not signed in, or why that is not known.
	Err error
	// RefreshDue says that the provider would now redeem the refresh token, so that the user pool
	// decides. Err is nil then. An examination does not ask, since that could end the session.
	RefreshDue bool
	// LastAuthUsers is how many names select what is looked at. If it is 0, the name is "username",
	// which Amplify JS falls back to.
	LastAuthUsers int
	// Users is what is kept for each of them.
	Users []ExaminedUser
	// Unselected is what is kept for other users: for up to eight of them, without pairs.
	Unselected []ExaminedUser
	// Expires is when the session is taken for expired, and Drift by how much the clockDrift cookie
	// has brought that forward. They are zero if no tokens verify.
	Expires time.Time
	Drift   time.Duration
	// Refreshable says that there is a refresh token for those tokens.
	Refreshable bool
}

// maxUnselected bounds how many users who are not selected are looked at.
const maxUnselected = 8

// ExaminedUser is what is kept for one user.
type ExaminedUser struct {
	// Name is the one that the values are kept under. It proves nothing.
	Name string
	// How many values there are of each. Browsers send two if one cookie belongs to the host and
	// one to the domain. At most three are looked at.
	AccessTokens, IDTokens, RefreshTokens int
	// Pairs are each of the access tokens with each of the ID tokens.
	Pairs []ExaminedPair
}

// ExaminedPair is an access token and an ID token.
type ExaminedPair struct {
	// Err is nil if both verify and belong to one user. They may have expired.
	Err error
	// Chosen marks the pair that makes the session.
	Chosen bool
}

// Examine judges the session in kv by the same steps as [Client.TokenProvider]. Nothing is
// refreshed, and kv stays as it is. If kv is writable, the verdict is that of a context in which
// cookies can be set. Keys are fetched if they are needed.
func (c *Client) Examine(ctx context.Context, kv amplify.KeyValueStorage) *Examination {
	if c.poolID == "" {
		_, err := c.TokenProvider(kv).Tokens(ctx, amplify.TokensInput{})
		return &Examination{Err: err}
	}
	e := &examiner{}
	p := &provider{client: c, kv: kv, examiner: e}
	_, err := p.Tokens(ctx, amplify.TokensInput{})
	if errors.Is(err, errExamined) {
		err = nil
	}

	st := p.stored
	x := &Examination{Err: err, RefreshDue: e.refreshDue, LastAuthUsers: st.LastAuthUsers()}
	if e.chosen {
		x.Expires, x.Drift, x.Refreshable = p.current.expires, st.Drift(p.current.user), p.current.refreshToken != ""
	}
	for _, name := range st.Users() {
		u := st.examine(name)
		pairs := u.AccessTokens * u.IDTokens
		u.Pairs, e.pairs = e.pairs[:pairs], e.pairs[pairs:]
		x.Users = append(x.Users, u)
	}
	for i := range st.List {
		name := st.List[i].User
		known := func(u ExaminedUser) bool { return u.Name == name }
		if len(x.Unselected) < maxUnselected && !slices.ContainsFunc(x.Users, known) && !slices.ContainsFunc(x.Unselected, known) {
			x.Unselected = append(x.Unselected, st.examine(name))
		}
	}
	return x
}

// examine counts what is kept for a user.
func (st *stored) examine(name string) ExaminedUser {
	u := ExaminedUser{Name: strings.Clone(name)} // requests' memory may be used again
	_, u.AccessTokens = st.All(name, sessionkey.AccessToken)
	_, u.IDTokens = st.All(name, sessionkey.IDToken)
	_, u.RefreshTokens = st.All(name, sessionkey.RefreshToken)
	return u
}

// examiner notes how a provider judges a session, and keeps it from redeeming refresh tokens. A nil
// examiner does nothing.
type examiner struct {
	pairs      []ExaminedPair // in the order of the request
	chosen     bool           // one of them
	refreshDue bool
}

// judged notes how every pair of tokens was judged.
func (e *examiner) judged(all []*candidate, chosen *candidate) {
	if e == nil {
		return
	}
	e.pairs, e.chosen = make([]ExaminedPair, len(all)), chosen != nil
	for _, cand := range all {
		e.pairs[cand.index] = ExaminedPair{Err: cand.judged.Err, Chosen: cand == chosen}
	}
}

// errExamined takes the place of a refresh.
var errExamined = errors.New("cognito: an examination refreshes nothing")
