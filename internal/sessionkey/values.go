package sessionkey

import (
	"slices"
	"strconv"
	"time"
)

// fallbackUsers is the LastAuthUser of a storage without one: the name that Amplify JS takes then.
var fallbackUsers = []string{"username"}

const (
	// MaxDuplicates bounds how many values of one key are looked at. Browsers send two where one
	// cookie belongs to the host and one to the domain.
	MaxDuplicates = 3
	// maxNameBytes bounds LastAuthUser. Cognito's user names have at most 128 characters, and the
	// e-mail addresses and phone numbers that stand in for them too.
	maxNameBytes = 128 * 4
	maxNameRunes = 128
	// maxDrift bounds how much earlier a clockDrift cookie can make a session expire.
	maxDrift = time.Minute
)

// Values are what a storage holds of the sessions of one app client, in the order it was sent.
type Values struct {
	Prefix string // of the keys
	List   []Value

	lastAuthUsers [MaxDuplicates]string
	names         int // how many of lastAuthUsers there are
}

// Value is the value under "<user>.<key>".
type Value struct{ User, Key, Value string }

// Add adds the value of a key that begins with the prefix. It returns true, to be called by an
// iterator.
func (vs *Values) Add(key, value string) bool {
	name := key[len(vs.Prefix):]
	if name == LastAuthUser {
		if value != "" && vs.names < MaxDuplicates && isName(value) &&
			!slices.Contains(vs.lastAuthUsers[:vs.names], value) {
			vs.lastAuthUsers[vs.names] = value
			vs.names++
		}
		return true
	}
	if user, key, ok := Split(name); ok {
		vs.List = append(vs.List, Value{user, key, value})
	}
	return true
}

// isName reports whether s can be the name of a user. A longer one selects nothing.
func isName(s string) bool {
	return len(s) <= maxNameRunes || len(s) <= maxNameBytes && len([]rune(s)) <= maxNameRunes
}

// LastAuthUsers returns how many names LastAuthUser has: none if [Values.Users] falls back.
func (vs *Values) LastAuthUsers() int { return vs.names }

// Users returns the names under which to look for a session.
func (vs *Values) Users() []string {
	if vs.names == 0 {
		return fallbackUsers
	}
	return vs.lastAuthUsers[:vs.names]
}

// All returns the first values of a user's key. An empty value is none, and neither is the text
// "undefined", which JavaScript writes where it had nothing to write.
func (vs *Values) All(user, key string) (values [MaxDuplicates]string, n int) {
	for i := range vs.List {
		v := &vs.List[i]
		if v.Key == key && v.User == user && v.Value != "" && v.Value != "undefined" &&
			n < len(values) {
			values[n] = v.Value
			n++
		}
	}
	return values, n
}

// First returns the first value of a user's key, or "".
func (vs *Values) First(user, key string) string {
	values, _ := vs.All(user, key)
	return values[0]
}

// Pair is an access and an ID token that a request presents under one name.
type Pair struct {
	User         string
	Nth          int // of the user's access tokens
	AccessTokens int // how many there are
	Access, ID   string
	AsWritten    bool // the nth of both, of equally many: they were written together
}

// Pairs returns every pair of tokens that a user's values can make: browsers may send two cookies
// of one name.
func (vs *Values) Pairs(user string) (pairs []Pair) {
	access, accessTokens := vs.All(user, AccessToken)
	id, idTokens := vs.All(user, IDToken)
	for i := range accessTokens {
		for j := range idTokens {
			pairs = append(pairs, Pair{
				User: user, Nth: i, AccessTokens: accessTokens, Access: access[i], ID: id[j],
				AsWritten: i == j && accessTokens == idTokens,
			})
		}
	}
	return pairs
}

// Drift returns by how much the clockDrift of a user makes the session expire earlier. The value is
// the error of the browser's clock in milliseconds, and the client's to choose: it never makes a
// session last longer.
func (vs *Values) Drift(user string) time.Duration {
	text := vs.First(user, ClockDrift)
	if text == "" {
		return 0 // as usual; ParseInt would allocate an error
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms <= 0 {
		return 0
	}
	return time.Duration(min(ms, maxDrift.Milliseconds())) * time.Millisecond
}
